import { dice, History, Mask, type Point } from "./mask";
import * as nifti from "./nifti";
import { View } from "./view";

type Tool = "polygon" | "brush" | "eraser" | "pan";

// Editor lets a reader draw an outline with the mouse, a pen, or keys alone. Its buttons are the server's, found by their
// data-do; words are the server's too, in data-word-* of the element.
export class Editor {
  private tool: Tool = "polygon";
  private radius = 8;
  private mask: Mask;
  private other: Mask | null = null;
  private polygon: Point[] = [];
  private readonly history = new History();
  private pointer: Point | null = null; // in the image
  private keys: Point; // where keys mark
  private byKeys = false;
  private dragging = false;
  private readonly status: HTMLElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly view: View,
    private readonly url: string, // of the case in the API
    image: ImageBitmap,
  ) {
    this.mask = new Mask(image.width, image.height);
    this.keys = { x: Math.floor(image.width / 2) + 0.5, y: Math.floor(image.height / 2) + 0.5 };
    this.status = root.querySelector<HTMLElement>("[data-status]")!;
    this.listen();
    this.choose("polygon");
    this.view.fit();
    this.draw();
  }

  private listen(): void {
    const c = this.view.canvas;
    c.addEventListener("pointerdown", (e) => this.press(e));
    c.addEventListener("pointermove", (e) => this.move(e));
    for (const end of ["pointerup", "pointercancel"]) c.addEventListener(end, () => (this.dragging = false));
    c.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.draw();
    });
    c.addEventListener("dblclick", () => this.close());
    c.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.view.zoom(Math.exp(-e.deltaY / 500), { x: e.offsetX, y: e.offsetY });
      this.draw();
    }, { passive: false });
    c.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.draw()).observe(c);
    this.root.addEventListener("click", (e) => {
      const button = (e.target as HTMLElement).closest<HTMLElement>("[data-do]");
      if (button) void this.run(button.dataset.do!);
    });
    for (const input of this.root.querySelectorAll<HTMLInputElement>("input[data-set]")) {
      input.addEventListener("input", () => this.adjust(input));
    }
    this.root.querySelector<HTMLInputElement>("input[data-import]")?.addEventListener("change", (e) => void this.import(e.target as HTMLInputElement));
    this.root.querySelector<HTMLSelectElement>("select[data-other]")?.addEventListener("change", (e) => void this.compare((e.target as HTMLSelectElement).value));
  }

  // adjust takes a slider's value.
  private adjust(input: HTMLInputElement): void {
    const value = Number(input.value);
    switch (input.dataset.set) {
      case "radius":
        this.radius = value;
        break;
      case "brightness":
        this.view.brightness = value;
        this.view.window();
        break;
      case "contrast":
        this.view.contrast = value;
        this.view.window();
    }
    this.draw();
  }

  private async run(action: string): Promise<void> {
    switch (action) {
      case "polygon":
      case "brush":
      case "eraser":
      case "pan":
        this.choose(action);
        break;
      case "close":
        this.close();
        break;
      case "undo":
        this.undo();
        break;
      case "redo":
        this.history.redo(this.mask);
        break;
      case "clear":
        this.change(() => this.mask.data.fill(0));
        this.polygon = [];
        break;
      case "zoom-in":
      case "zoom-out":
        this.view.zoom(action === "zoom-in" ? 1.25 : 0.8, { x: this.view.canvas.clientWidth / 2, y: this.view.canvas.clientHeight / 2 });
        break;
      case "fit":
        this.view.fit();
        break;
      case "export":
        this.export();
        break;
      case "save":
        await this.save();
    }
    this.draw();
  }

  private choose(tool: Tool): void {
    this.tool = tool;
    for (const b of this.root.querySelectorAll<HTMLElement>("[data-tool]")) b.setAttribute("aria-pressed", String(b.dataset.do === tool));
    this.view.canvas.style.cursor = tool === "pan" ? "grab" : "crosshair";
  }

  // press begins a stroke with the first button, and moves the image with the middle one.
  private press(e: PointerEvent): void {
    if (e.button > 1) return;
    this.view.canvas.focus();
    this.view.canvas.setPointerCapture(e.pointerId);
    this.byKeys = false;
    this.dragging = true;
    const p = this.view.toImage({ x: e.offsetX, y: e.offsetY });
    this.pointer = p;
    if (e.button === 0) this.mark(p, p, true);
    this.draw();
  }

  private move(e: PointerEvent): void {
    const p = this.view.toImage({ x: e.offsetX, y: e.offsetY });
    const from = this.pointer ?? p;
    if (this.dragging && (this.tool === "pan" || e.buttons === 4)) {
      this.view.x += e.movementX;
      this.view.y += e.movementY;
    } else if (this.dragging && this.tool !== "polygon") {
      this.mark(from, p, false);
    }
    this.pointer = this.view.toImage({ x: e.offsetX, y: e.offsetY });
    this.draw();
  }

  // mark draws with the tool from one point to another; first says that a stroke begins.
  private mark(from: Point, to: Point, first: boolean): void {
    switch (this.tool) {
      case "polygon":
        if (first) this.corner(to);
        break;
      case "brush":
      case "eraser":
        if (first) this.history.keep(this.mask);
        this.mask.stroke(from, to, this.radius, this.tool === "brush" ? 1 : 0);
    }
  }

  // corner adds one to the polygon, or closes it at its first.
  private corner(p: Point): void {
    const first = this.polygon[0];
    if (first && this.polygon.length > 2 && Math.hypot(first.x - p.x, first.y - p.y) * this.view.scale < 8) {
      this.close();
    } else {
      this.polygon.push(p);
    }
  }

  // close fills the polygon.
  private close(): void {
    if (this.polygon.length > 2) {
      const points = this.polygon;
      this.change(() => this.mask.polygon(points, 1));
    }
    this.polygon = [];
    this.draw();
  }

  private undo(): void {
    if (this.polygon.length > 0) this.polygon.pop();
    else this.history.undo(this.mask);
  }

  private change(f: () => void): void {
    this.history.keep(this.mask);
    f();
  }

  // key draws without a mouse: arrows move, Enter sets a corner or paints, c closes.
  private key(e: KeyboardEvent): void {
    const step = e.shiftKey ? 10 : 1;
    const ways: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const actions: Record<string, string> = { p: "polygon", b: "brush", e: "eraser", v: "pan", c: "close", "+": "zoom-in", "-": "zoom-out", "0": "fit", y: "redo", z: "undo" };
    const way = ways[e.key];
    if (way) {
      this.byKeys = true;
      this.keys = {
        x: Math.min(this.mask.width - 0.5, Math.max(0.5, this.keys.x + way[0] * step)),
        y: Math.min(this.mask.height - 0.5, Math.max(0.5, this.keys.y + way[1] * step)),
      };
      this.say(`${Math.floor(this.keys.x)}, ${Math.floor(this.keys.y)}`);
    } else if (e.key === "Enter" || e.key === " ") {
      this.byKeys = true;
      this.mark(this.keys, this.keys, true);
    } else if (e.key === "Escape") {
      this.polygon = [];
    } else if (actions[e.key.toLowerCase()] && (!(e.ctrlKey || e.metaKey) || "yz".includes(e.key))) {
      void this.run(actions[e.key.toLowerCase()]);
    } else {
      return;
    }
    e.preventDefault();
    this.draw();
  }

  // import takes an outline from a NIfTI or PNG file.
  private async import(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (!file) return;
    try {
      this.take(await read(file));
    } catch (e) {
      this.say(`${this.word("cannotRead")}: ${e instanceof Error ? e.message : e}`);
    }
    input.value = "";
    this.draw();
  }

  private take(m: Mask): void {
    if (m.width !== this.mask.width || m.height !== this.mask.height) {
      throw new Error(`${m.width} x ${m.height} px, ${this.word("expected")} ${this.mask.width} x ${this.mask.height} px`);
    }
    this.change(() => this.mask.data.set(m.data));
  }

  // compare shows a stored outline beside one's own, "" none.
  private async compare(id: string): Promise<void> {
    this.other = null;
    if (id) {
      const answer = await fetch(`${this.url}/outlines/${id}.nii.gz`);
      if (answer.ok) this.other = await nifti.decode(new Uint8Array(await answer.arrayBuffer()));
    }
    this.draw();
  }

  private export(): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([nifti.encode(this.mask, this.spacing())]));
    link.download = "outline.nii";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  private spacing(): number {
    return Number(this.root.dataset.pixelMm) || 0;
  }

  // save keeps the outline on the server and tells the page.
  private async save(): Promise<void> {
    this.close();
    if (this.mask.area() === 0) {
      this.say(this.word("empty"));
      return;
    }
    try {
      const answer = await fetch(`${this.url}/outlines`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream", "Idempotency-Key": crypto.randomUUID() },
        body: nifti.encode(this.mask, this.spacing()),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail ?? body.title);
      this.say(this.word("saved"));
      document.body.dispatchEvent(new CustomEvent("outline-saved", { detail: { outline: body.id } }));
    } catch (e) {
      this.say(`${this.word("notSaved")}: ${e instanceof Error ? e.message : e}`);
    }
  }

  private word(name: string): string {
    return this.root.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`] ?? name;
  }

  private say(text: string): void {
    this.status.textContent = text;
  }

  private draw(): void {
    const at = this.byKeys ? this.keys : this.pointer;
    const radius = this.tool === "brush" || this.tool === "eraser" ? this.radius : 0;
    this.view.draw(this.mask, this.other, this.polygon, at && { ...at, radius, cross: this.byKeys });
    const info = this.root.querySelector<HTMLElement>("[data-info]")!;
    const overlap = this.other ? `, Dice ${dice(this.mask, this.other).toFixed(3)}` : "";
    info.textContent = `${this.mask.area()} px${overlap}`;
  }
}

// read takes a mask from a NIfTI file, or from a picture: its opaque part, or the light part of an opaque picture.
async function read(file: File): Promise<Mask> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] !== 0x89) return nifti.decode(bytes);
  const picture = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const c = new OffscreenCanvas(picture.width, picture.height);
  const g = c.getContext("2d")!;
  g.drawImage(picture, 0, 0);
  const { data } = g.getImageData(0, 0, c.width, c.height);
  const m = new Mask(c.width, c.height);
  let opaque = true;
  for (let i = 3; i < data.length; i += 4) opaque &&= data[i] === 255;
  for (let i = 0; i < m.data.length; i++) {
    const grey = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    m.data[i] = (opaque ? grey : data[4 * i + 3]) >= 128 ? 1 : 0;
  }
  return m;
}
