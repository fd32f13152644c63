import type { Mask, Point } from "./mask";

// Colours of the outlines: one's own, and another reader's.
const OWN = [230, 159, 0];
const OTHER = [86, 180, 233];

// View draws an image with outlines over it, zoomed, moved, and with a grey window.
export class View {
  scale = 1;
  x = 0; // where the image's corner lies on the canvas, CSS px
  y = 0;
  brightness = 0; // -1 to 1
  contrast = 1; // 0.25 to 4
  private readonly grey: HTMLCanvasElement;
  private readonly overlay: HTMLCanvasElement;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly image: ImageBitmap,
  ) {
    this.grey = document.createElement("canvas");
    this.overlay = document.createElement("canvas");
    for (const c of [this.grey, this.overlay]) {
      c.width = image.width;
      c.height = image.height;
    }
    this.window();
  }

  // window applies brightness and contrast to the image.
  window(): void {
    const g = this.grey.getContext("2d")!;
    g.drawImage(this.image, 0, 0);
    const pixels = g.getImageData(0, 0, this.image.width, this.image.height);
    const table = Uint8ClampedArray.from({ length: 256 }, (_, v) => (v - 128) * this.contrast + 128 + 128 * this.brightness);
    for (let i = 0; i < pixels.data.length; i++) if (i % 4 !== 3) pixels.data[i] = table[pixels.data[i]];
    g.putImageData(pixels, 0, 0);
  }

  // fit shows the whole image in the middle.
  fit(): void {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    this.scale = Math.min(w / this.image.width, h / this.image.height);
    this.x = (w - this.image.width * this.scale) / 2;
    this.y = (h - this.image.height * this.scale) / 2;
  }

  // zoom makes the image larger by a factor, and keeps the point of the canvas where it is.
  zoom(factor: number, at: Point): void {
    const scale = Math.min(32, Math.max(0.05, this.scale * factor));
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
  }

  // toImage is the point of the image under one of the canvas.
  toImage(p: Point): Point {
    return { x: (p.x - this.x) / this.scale, y: (p.y - this.y) / this.scale };
  }

  draw(own: Mask, other: Mask | null, polygon: readonly Point[], cursor: Cursor | null): void {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (this.canvas.width !== Math.round(w * ratio) || this.canvas.height !== Math.round(h * ratio)) {
      this.canvas.width = Math.round(w * ratio);
      this.canvas.height = Math.round(h * ratio);
    }
    const g = this.canvas.getContext("2d")!;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = "#000";
    g.fillRect(0, 0, w, h);
    g.imageSmoothingEnabled = this.scale < 3;
    g.translate(this.x, this.y);
    g.scale(this.scale, this.scale);
    g.drawImage(this.grey, 0, 0);
    this.paint(own, other);
    g.imageSmoothingEnabled = false;
    g.drawImage(this.overlay, 0, 0);
    this.path(g, polygon);
    if (cursor) this.mark(g, cursor);
  }

  // paint colours the outlines' edges, and one's own inside lightly.
  private paint(own: Mask, other: Mask | null): void {
    const g = this.overlay.getContext("2d")!;
    const pixels = g.createImageData(this.image.width, this.image.height);
    const set = (i: number, colour: number[], alpha: number) => pixels.data.set([...colour, alpha], 4 * i);
    if (other) edges(other, (i, edge) => edge && set(i, OTHER, 255));
    edges(own, (i, edge) => set(i, OWN, edge ? 255 : 50));
    g.putImageData(pixels, 0, 0);
  }

  private path(g: CanvasRenderingContext2D, polygon: readonly Point[]): void {
    if (polygon.length === 0) return;
    g.strokeStyle = `rgb(${OWN})`;
    g.fillStyle = `rgb(${OWN})`;
    g.lineWidth = 2 / this.scale;
    g.beginPath();
    polygon.forEach((p) => g.lineTo(p.x, p.y));
    g.stroke();
    for (const p of polygon) {
      g.beginPath();
      g.arc(p.x, p.y, 3 / this.scale, 0, 2 * Math.PI);
      g.fill();
    }
  }

  private mark(g: CanvasRenderingContext2D, c: Cursor): void {
    g.lineWidth = 1.5 / this.scale;
    for (const [colour, r] of [["#000", 0.75], ["#fff", 0]] as const) {
      g.strokeStyle = colour;
      g.beginPath();
      if (c.radius > 0) g.arc(c.x, c.y, c.radius + r / this.scale, 0, 2 * Math.PI);
      const arm = 8 / this.scale;
      if (c.cross) {
        g.moveTo(c.x - arm, c.y);
        g.lineTo(c.x + arm, c.y);
        g.moveTo(c.x, c.y - arm);
        g.lineTo(c.x, c.y + arm);
      }
      g.stroke();
    }
  }
}

// Cursor is where the next mark falls: the brush's circle, and a cross when moved by keys.
export interface Cursor extends Point {
  radius: number;
  cross: boolean;
}

// edges calls f for every pixel inside, saying whether a neighbour lies outside.
function edges(m: Mask, f: (i: number, edge: boolean) => void): void {
  const { width: w, height: h, data } = m;
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i++) {
      if (data[i]) f(i, x === 0 || y === 0 || x === w - 1 || y === h - 1 || !(data[i - 1] && data[i + 1] && data[i - w] && data[i + w]));
    }
  }
}
