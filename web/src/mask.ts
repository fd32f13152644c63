// A mask is an outline's pixels: 1 inside, 0 outside, row by row.
export class Mask {
  readonly data: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    data?: Uint8Array,
  ) {
    this.data = data ?? new Uint8Array(width * height);
    if (this.data.length !== width * height) throw new Error("mask of another size");
  }

  copy(): Mask {
    return new Mask(this.width, this.height, this.data.slice());
  }

  area(): number {
    let n = 0;
    for (const v of this.data) n += v;
    return n;
  }

  // polygon sets the pixels whose centres lie inside, by the even-odd rule.
  polygon(points: readonly Point[], value: 0 | 1): void {
    for (let y = 0; y < this.height; y++) {
      const centre = y + 0.5;
      const crossings: number[] = [];
      points.forEach((a, i) => {
        const b = points[(i + 1) % points.length];
        if (a.y <= centre !== b.y <= centre) {
          crossings.push(a.x + ((centre - a.y) / (b.y - a.y)) * (b.x - a.x));
        }
      });
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.ceil(crossings[i] - 0.5));
        const to = Math.min(this.width, Math.ceil(crossings[i + 1] - 0.5));
        if (from < to) this.data.fill(value, y * this.width + from, y * this.width + to);
      }
    }
  }

  // stroke sets the pixels whose centres lie within radius of the way from a to b.
  stroke(a: Point, b: Point, radius: number, value: 0 | 1): void {
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const length2 = dx * dx + dy * dy;
    const y0 = Math.max(0, Math.floor(Math.min(a.y, b.y) - radius));
    const y1 = Math.min(this.height - 1, Math.ceil(Math.max(a.y, b.y) + radius));
    const x0 = Math.max(0, Math.floor(Math.min(a.x, b.x) - radius));
    const x1 = Math.min(this.width - 1, Math.ceil(Math.max(a.x, b.x) + radius));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const px = x + 0.5 - a.x;
        const py = y + 0.5 - a.y;
        const t = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
        const ex = px - t * dx;
        const ey = py - t * dy;
        if (ex * ex + ey * ey <= radius * radius) this.data[y * this.width + x] = value;
      }
    }
  }
}

// A point in pixels of the image; (0, 0) is the corner of the first pixel.
export interface Point {
  x: number;
  y: number;
}

// dice is the overlap of two masks of one size; two empty ones agree.
export function dice(a: Mask, b: Mask): number {
  let both = 0;
  for (let i = 0; i < a.data.length; i++) both += a.data[i] & b.data[i];
  const sum = a.area() + b.area();
  return sum === 0 ? 1 : (2 * both) / sum;
}

// History holds what undo and redo go back to.
export class History {
  private past: Uint8Array[] = [];
  private future: Uint8Array[] = [];

  constructor(private readonly most = 100) {}

  // keep remembers a mask before it is changed.
  keep(m: Mask): void {
    this.past.push(m.data.slice());
    if (this.past.length > this.most) this.past.shift();
    this.future = [];
  }

  undo(m: Mask): boolean {
    return this.swap(m, this.past, this.future);
  }

  redo(m: Mask): boolean {
    return this.swap(m, this.future, this.past);
  }

  private swap(m: Mask, from: Uint8Array[], to: Uint8Array[]): boolean {
    const data = from.pop();
    if (!data) return false;
    to.push(m.data.slice());
    m.data.set(data);
    return true;
  }
}
