class d {
  constructor(t, e, s) {
    if (this.width = t, this.height = e, this.data = s ?? new Uint8Array(t * e), this.data.length !== t * e) throw new Error("mask of another size");
  }
  width;
  height;
  data;
  copy() {
    return new d(this.width, this.height, this.data.slice());
  }
  area() {
    let t = 0;
    for (const e of this.data) t += e;
    return t;
  }
  // polygon sets the pixels whose centres lie inside, by the even-odd rule.
  polygon(t, e) {
    for (let s = 0; s < this.height; s++) {
      const i = s + 0.5, o = [];
      t.forEach((a, h) => {
        const n = t[(h + 1) % t.length];
        a.y <= i != n.y <= i && o.push(a.x + (i - a.y) / (n.y - a.y) * (n.x - a.x));
      }), o.sort((a, h) => a - h);
      for (let a = 0; a + 1 < o.length; a += 2) {
        const h = Math.max(0, Math.ceil(o[a] - 0.5)), n = Math.min(this.width, Math.ceil(o[a + 1] - 0.5));
        h < n && this.data.fill(e, s * this.width + h, s * this.width + n);
      }
    }
  }
  // stroke sets the pixels whose centres lie within radius of the way from a to b.
  stroke(t, e, s, i) {
    const o = e.x - t.x, a = e.y - t.y, h = o * o + a * a, n = Math.max(0, Math.floor(Math.min(t.y, e.y) - s)), l = Math.min(this.height - 1, Math.ceil(Math.max(t.y, e.y) + s)), c = Math.max(0, Math.floor(Math.min(t.x, e.x) - s)), M = Math.min(this.width - 1, Math.ceil(Math.max(t.x, e.x) + s));
    for (let y = n; y <= l; y++)
      for (let f = c; f <= M; f++) {
        const g = f + 0.5 - t.x, m = y + 0.5 - t.y, p = h === 0 ? 0 : Math.min(1, Math.max(0, (g * o + m * a) / h)), v = g - p * o, k = m - p * a;
        v * v + k * k <= s * s && (this.data[y * this.width + f] = i);
      }
  }
}
function I(r, t) {
  let e = 0;
  for (let i = 0; i < r.data.length; i++) e += r.data[i] & t.data[i];
  const s = r.area() + t.area();
  return s === 0 ? 1 : 2 * e / s;
}
class $ {
  constructor(t = 100) {
    this.most = t;
  }
  most;
  past = [];
  future = [];
  // keep remembers a mask before it is changed.
  keep(t) {
    this.past.push(t.data.slice()), this.past.length > this.most && this.past.shift(), this.future = [];
  }
  undo(t) {
    return this.swap(t, this.past, this.future);
  }
  redo(t) {
    return this.swap(t, this.future, this.past);
  }
  swap(t, e, s) {
    const i = e.pop();
    return i ? (s.push(t.data.slice()), t.data.set(i), !0) : !1;
  }
}
const w = 352;
function x(r, t) {
  const e = new Uint8Array(w + r.data.length), s = new DataView(e.buffer), i = t > 0 ? t : 1;
  return s.setInt32(0, 348, !0), [3, r.width, r.height, 1, 1, 1, 1, 1].forEach((a, h) => s.setInt16(40 + 2 * h, a, !0)), s.setInt16(70, 2, !0), s.setInt16(72, 8, !0), [1, i, i, 1, 0, 0, 0, 0].forEach((a, h) => s.setFloat32(76 + 4 * h, a, !0)), s.setFloat32(108, w, !0), s.setFloat32(112, 1, !0), s.setUint8(123, 2), s.setInt16(254, 1, !0), [-i, 0, 0, 0, 0, -i, 0, 0, 0, 0, 1, 0].forEach((a, h) => s.setFloat32(280 + 4 * h, a, !0)), [110, 43, 49, 0].forEach((a, h) => s.setUint8(344 + h, a)), e.set(r.data, w), e;
}
async function E(r) {
  const t = r[0] === 31 && r[1] === 139 ? await S(r) : r, e = new DataView(t.buffer, t.byteOffset, t.byteLength), s = e.getInt32(0, !0) === 348;
  if (!s && e.getInt32(0, !1) !== 348) throw new Error("not a NIfTI-1 file");
  const [i, o, a] = [42, 44, 46].map((c) => Math.max(1, e.getInt16(c, s)));
  if (a !== 1) throw new Error(`${a} slices, expected 1`);
  const h = z(e, e.getInt16(70, s), s), n = e.getFloat32(108, s), l = new d(i, o);
  if (n + i * o * h.size > t.length) throw new Error("the file is cut short");
  for (let c = 0; c < l.data.length; c++) l.data[c] = h.at(n + c * h.size) !== 0 ? 1 : 0;
  return l;
}
function z(r, t, e) {
  switch (t) {
    case 2:
      return { size: 1, at: (s) => r.getUint8(s) };
    case 256:
      return { size: 1, at: (s) => r.getInt8(s) };
    case 4:
      return { size: 2, at: (s) => r.getInt16(s, e) };
    case 512:
      return { size: 2, at: (s) => r.getUint16(s, e) };
    case 8:
      return { size: 4, at: (s) => r.getInt32(s, e) };
    case 16:
      return { size: 4, at: (s) => r.getFloat32(s, e) };
    case 64:
      return { size: 8, at: (s) => r.getFloat64(s, e) };
  }
  throw new Error(`datatype ${t} is not read`);
}
async function S(r) {
  const t = new Blob([r]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(t).arrayBuffer());
}
class L {
  constructor(t, e, s, i) {
    this.root = t, this.view = e, this.url = s, this.mask = new d(i.width, i.height), this.keys = { x: Math.floor(i.width / 2) + 0.5, y: Math.floor(i.height / 2) + 0.5 }, this.status = t.querySelector("[data-status]"), this.listen(), this.choose("polygon"), this.view.fit(), this.draw();
  }
  root;
  view;
  url;
  tool = "polygon";
  radius = 8;
  mask;
  other = null;
  polygon = [];
  history = new $();
  pointer = null;
  // in the image
  keys;
  // where keys mark
  byKeys = !1;
  dragging = !1;
  status;
  listen() {
    const t = this.view.canvas;
    t.addEventListener("pointerdown", (e) => this.press(e)), t.addEventListener("pointermove", (e) => this.move(e));
    for (const e of ["pointerup", "pointercancel"]) t.addEventListener(e, () => this.dragging = !1);
    t.addEventListener("pointerleave", () => {
      this.pointer = null, this.draw();
    }), t.addEventListener("dblclick", () => this.close()), t.addEventListener("wheel", (e) => {
      e.preventDefault(), this.view.zoom(Math.exp(-e.deltaY / 500), { x: e.offsetX, y: e.offsetY }), this.draw();
    }, { passive: !1 }), t.addEventListener("keydown", (e) => this.key(e)), new ResizeObserver(() => this.draw()).observe(t), this.root.addEventListener("click", (e) => {
      const s = e.target.closest("[data-do]");
      s && this.run(s.dataset.do);
    });
    for (const e of this.root.querySelectorAll("input[data-set]"))
      e.addEventListener("input", () => this.adjust(e));
    this.root.querySelector("input[data-import]")?.addEventListener("change", (e) => {
      this.import(e.target);
    }), this.root.querySelector("select[data-other]")?.addEventListener("change", (e) => {
      this.compare(e.target.value);
    });
  }
  // adjust takes a slider's value.
  adjust(t) {
    const e = Number(t.value);
    switch (t.dataset.set) {
      case "radius":
        this.radius = e;
        break;
      case "brightness":
        this.view.brightness = e, this.view.window();
        break;
      case "contrast":
        this.view.contrast = e, this.view.window();
    }
    this.draw();
  }
  async run(t) {
    switch (t) {
      case "polygon":
      case "brush":
      case "eraser":
      case "pan":
        this.choose(t);
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
        this.change(() => this.mask.data.fill(0)), this.polygon = [];
        break;
      case "zoom-in":
      case "zoom-out":
        this.view.zoom(t === "zoom-in" ? 1.25 : 0.8, { x: this.view.canvas.clientWidth / 2, y: this.view.canvas.clientHeight / 2 });
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
  choose(t) {
    this.tool = t;
    for (const e of this.root.querySelectorAll("[data-tool]")) e.setAttribute("aria-pressed", String(e.dataset.do === t));
    this.view.canvas.style.cursor = t === "pan" ? "grab" : "crosshair";
  }
  // press begins a stroke with the first button, and moves the image with the middle one.
  press(t) {
    if (t.button > 1) return;
    this.view.canvas.focus(), this.view.canvas.setPointerCapture(t.pointerId), this.byKeys = !1, this.dragging = !0;
    const e = this.view.toImage({ x: t.offsetX, y: t.offsetY });
    this.pointer = e, t.button === 0 && this.mark(e, e, !0), this.draw();
  }
  move(t) {
    const e = this.view.toImage({ x: t.offsetX, y: t.offsetY }), s = this.pointer ?? e;
    this.dragging && (this.tool === "pan" || t.buttons === 4) ? (this.view.x += t.movementX, this.view.y += t.movementY) : this.dragging && this.tool !== "polygon" && this.mark(s, e, !1), this.pointer = this.view.toImage({ x: t.offsetX, y: t.offsetY }), this.draw();
  }
  // mark draws with the tool from one point to another; first says that a stroke begins.
  mark(t, e, s) {
    switch (this.tool) {
      case "polygon":
        s && this.corner(e);
        break;
      case "brush":
      case "eraser":
        s && this.history.keep(this.mask), this.mask.stroke(t, e, this.radius, this.tool === "brush" ? 1 : 0);
    }
  }
  // corner adds one to the polygon, or closes it at its first.
  corner(t) {
    const e = this.polygon[0];
    e && this.polygon.length > 2 && Math.hypot(e.x - t.x, e.y - t.y) * this.view.scale < 8 ? this.close() : this.polygon.push(t);
  }
  // close fills the polygon.
  close() {
    if (this.polygon.length > 2) {
      const t = this.polygon;
      this.change(() => this.mask.polygon(t, 1));
    }
    this.polygon = [], this.draw();
  }
  undo() {
    this.polygon.length > 0 ? this.polygon.pop() : this.history.undo(this.mask);
  }
  change(t) {
    this.history.keep(this.mask), t();
  }
  // key draws without a mouse: arrows move, Enter sets a corner or paints, c closes.
  key(t) {
    const e = t.shiftKey ? 10 : 1, s = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, i = { p: "polygon", b: "brush", e: "eraser", v: "pan", c: "close", "+": "zoom-in", "-": "zoom-out", 0: "fit", y: "redo", z: "undo" }, o = s[t.key];
    if (o)
      this.byKeys = !0, this.keys = {
        x: Math.min(this.mask.width - 0.5, Math.max(0.5, this.keys.x + o[0] * e)),
        y: Math.min(this.mask.height - 0.5, Math.max(0.5, this.keys.y + o[1] * e))
      }, this.say(`${Math.floor(this.keys.x)}, ${Math.floor(this.keys.y)}`);
    else if (t.key === "Enter" || t.key === " ")
      this.byKeys = !0, this.mark(this.keys, this.keys, !0);
    else if (t.key === "Escape")
      this.polygon = [];
    else if (i[t.key.toLowerCase()] && (!(t.ctrlKey || t.metaKey) || "yz".includes(t.key)))
      this.run(i[t.key.toLowerCase()]);
    else
      return;
    t.preventDefault(), this.draw();
  }
  // import takes an outline from a NIfTI or PNG file.
  async import(t) {
    const e = t.files?.[0];
    if (e) {
      try {
        this.take(await U(e));
      } catch (s) {
        this.say(`${this.word("cannotRead")}: ${s instanceof Error ? s.message : s}`);
      }
      t.value = "", this.draw();
    }
  }
  take(t) {
    if (t.width !== this.mask.width || t.height !== this.mask.height)
      throw new Error(`${t.width} x ${t.height} px, ${this.word("expected")} ${this.mask.width} x ${this.mask.height} px`);
    this.change(() => this.mask.data.set(t.data));
  }
  // compare shows a stored outline beside one's own, "" none.
  async compare(t) {
    if (this.other = null, t) {
      const e = await fetch(`${this.url}/outlines/${t}.nii.gz`);
      e.ok && (this.other = await E(new Uint8Array(await e.arrayBuffer())));
    }
    this.draw();
  }
  export() {
    const t = document.createElement("a");
    t.href = URL.createObjectURL(new Blob([x(this.mask, this.spacing())])), t.download = "outline.nii", t.click(), setTimeout(() => URL.revokeObjectURL(t.href), 1e3);
  }
  spacing() {
    return Number(this.root.dataset.pixelMm) || 0;
  }
  // save keeps the outline on the server and tells the page.
  async save() {
    if (this.close(), this.mask.area() === 0) {
      this.say(this.word("empty"));
      return;
    }
    try {
      const t = await fetch(`${this.url}/outlines`, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream", "Idempotency-Key": crypto.randomUUID() },
        body: x(this.mask, this.spacing())
      }), e = await t.json();
      if (!t.ok) throw new Error(e.detail ?? e.title);
      this.say(this.word("saved")), document.body.dispatchEvent(new CustomEvent("outline-saved", { detail: { outline: e.id } }));
    } catch (t) {
      this.say(`${this.word("notSaved")}: ${t instanceof Error ? t.message : t}`);
    }
  }
  word(t) {
    return this.root.dataset[`word${t[0].toUpperCase()}${t.slice(1)}`] ?? t;
  }
  say(t) {
    this.status.textContent = t;
  }
  draw() {
    const t = this.byKeys ? this.keys : this.pointer, e = this.tool === "brush" || this.tool === "eraser" ? this.radius : 0;
    this.view.draw(this.mask, this.other, this.polygon, t && { ...t, radius: e, cross: this.byKeys });
    const s = this.root.querySelector("[data-info]"), i = this.other ? `, Dice ${I(this.mask, this.other).toFixed(3)}` : "";
    s.textContent = `${this.mask.area()} px${i}`;
  }
}
async function U(r) {
  const t = new Uint8Array(await r.arrayBuffer());
  if (t[0] !== 137) return E(t);
  const e = await createImageBitmap(new Blob([t]), { colorSpaceConversion: "none", premultiplyAlpha: "none" }), s = new OffscreenCanvas(e.width, e.height), i = s.getContext("2d");
  i.drawImage(e, 0, 0);
  const { data: o } = i.getImageData(0, 0, s.width, s.height), a = new d(s.width, s.height);
  let h = !0;
  for (let n = 3; n < o.length; n += 4) h &&= o[n] === 255;
  for (let n = 0; n < a.data.length; n++) {
    const l = 0.299 * o[4 * n] + 0.587 * o[4 * n + 1] + 0.114 * o[4 * n + 2];
    a.data[n] = (h ? l : o[4 * n + 3]) >= 128 ? 1 : 0;
  }
  return a;
}
const u = [230, 159, 0], A = [86, 180, 233];
class C {
  constructor(t, e) {
    this.canvas = t, this.image = e, this.grey = document.createElement("canvas"), this.overlay = document.createElement("canvas");
    for (const s of [this.grey, this.overlay])
      s.width = e.width, s.height = e.height;
    this.window();
  }
  canvas;
  image;
  scale = 1;
  x = 0;
  // where the image's corner lies on the canvas, CSS px
  y = 0;
  brightness = 0;
  // -1 to 1
  contrast = 1;
  // 0.25 to 4
  grey;
  overlay;
  // window applies brightness and contrast to the image.
  window() {
    const t = this.grey.getContext("2d");
    t.drawImage(this.image, 0, 0);
    const e = t.getImageData(0, 0, this.image.width, this.image.height), s = Uint8ClampedArray.from({ length: 256 }, (i, o) => (o - 128) * this.contrast + 128 + 128 * this.brightness);
    for (let i = 0; i < e.data.length; i++) i % 4 !== 3 && (e.data[i] = s[e.data[i]]);
    t.putImageData(e, 0, 0);
  }
  // fit shows the whole image in the middle.
  fit() {
    const { clientWidth: t, clientHeight: e } = this.canvas;
    this.scale = Math.min(t / this.image.width, e / this.image.height), this.x = (t - this.image.width * this.scale) / 2, this.y = (e - this.image.height * this.scale) / 2;
  }
  // zoom makes the image larger by a factor, and keeps the point of the canvas where it is.
  zoom(t, e) {
    const s = Math.min(32, Math.max(0.05, this.scale * t));
    this.x = e.x - (e.x - this.x) * s / this.scale, this.y = e.y - (e.y - this.y) * s / this.scale, this.scale = s;
  }
  // toImage is the point of the image under one of the canvas.
  toImage(t) {
    return { x: (t.x - this.x) / this.scale, y: (t.y - this.y) / this.scale };
  }
  draw(t, e, s, i) {
    const o = window.devicePixelRatio || 1, { clientWidth: a, clientHeight: h } = this.canvas;
    (this.canvas.width !== Math.round(a * o) || this.canvas.height !== Math.round(h * o)) && (this.canvas.width = Math.round(a * o), this.canvas.height = Math.round(h * o));
    const n = this.canvas.getContext("2d");
    n.setTransform(o, 0, 0, o, 0, 0), n.fillStyle = "#000", n.fillRect(0, 0, a, h), n.imageSmoothingEnabled = this.scale < 3, n.translate(this.x, this.y), n.scale(this.scale, this.scale), n.drawImage(this.grey, 0, 0), this.paint(t, e), n.imageSmoothingEnabled = !1, n.drawImage(this.overlay, 0, 0), this.path(n, s), i && this.mark(n, i);
  }
  // paint colours the outlines' edges, and one's own inside lightly.
  paint(t, e) {
    const s = this.overlay.getContext("2d"), i = s.createImageData(this.image.width, this.image.height), o = (a, h, n) => i.data.set([...h, n], 4 * a);
    e && b(e, (a, h) => h && o(a, A, 255)), b(t, (a, h) => o(a, u, h ? 255 : 50)), s.putImageData(i, 0, 0);
  }
  path(t, e) {
    if (e.length !== 0) {
      t.strokeStyle = `rgb(${u})`, t.fillStyle = `rgb(${u})`, t.lineWidth = 2 / this.scale, t.beginPath(), e.forEach((s) => t.lineTo(s.x, s.y)), t.stroke();
      for (const s of e)
        t.beginPath(), t.arc(s.x, s.y, 3 / this.scale, 0, 2 * Math.PI), t.fill();
    }
  }
  mark(t, e) {
    t.lineWidth = 1.5 / this.scale;
    for (const [s, i] of [["#000", 0.75], ["#fff", 0]]) {
      t.strokeStyle = s, t.beginPath(), e.radius > 0 && t.arc(e.x, e.y, e.radius + i / this.scale, 0, 2 * Math.PI);
      const o = 8 / this.scale;
      e.cross && (t.moveTo(e.x - o, e.y), t.lineTo(e.x + o, e.y), t.moveTo(e.x, e.y - o), t.lineTo(e.x, e.y + o)), t.stroke();
    }
  }
}
function b(r, t) {
  const { width: e, height: s, data: i } = r;
  for (let o = 0, a = 0; o < s; o++)
    for (let h = 0; h < e; h++, a++)
      i[a] && t(a, h === 0 || o === 0 || h === e - 1 || o === s - 1 || !(i[a - 1] && i[a + 1] && i[a - e] && i[a + e]));
}
async function D(r) {
  const t = r.dataset.editor, e = await fetch(`${t}/image.png`);
  if (!e.ok) throw new Error(`the image: ${e.status}`);
  const s = await createImageBitmap(await e.blob());
  new L(r, new C(r.querySelector("canvas"), s), t, s), r.dataset.ready = "true";
}
for (const r of document.querySelectorAll("[data-editor]"))
  D(r).catch((t) => {
    r.querySelector("[data-status]").textContent = String(t);
  });
