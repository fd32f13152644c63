import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { dice, History, Mask } from "../src/mask";
import { decode, encode } from "../src/nifti";

const square = (w: number, h: number, x0: number, y0: number, side: number) => {
  const m = new Mask(w, h);
  m.polygon([{ x: x0, y: y0 }, { x: x0 + side, y: y0 }, { x: x0 + side, y: y0 + side }, { x: x0, y: y0 + side }], 1);
  return m;
};

test("a polygon fills the pixels whose centres it holds", () => {
  expect(square(20, 20, 3, 4, 5).area()).toBe(25);
  expect(square(20, 20, 3.4, 4.4, 5).area()).toBe(25);
  expect(square(20, 20, -5, -5, 50).area()).toBe(400);
  const triangle = new Mask(100, 100);
  triangle.polygon([{ x: 0, y: 0 }, { x: 100, y: 0 }, { x: 0, y: 100 }], 1);
  expect(Math.abs(triangle.area() - 5000)).toBeLessThanOrEqual(100);
});

test("a stroke is a disk drawn along its way", () => {
  const m = new Mask(100, 100);
  m.stroke({ x: 50, y: 50 }, { x: 50, y: 50 }, 10, 1);
  expect(Math.abs(m.area() - Math.PI * 100)).toBeLessThan(8);
  m.stroke({ x: 50, y: 50 }, { x: 50, y: 50 }, 11, 0);
  expect(m.area()).toBe(0);
  m.stroke({ x: 20, y: 50 }, { x: 80, y: 50 }, 5, 1);
  expect(Math.abs(m.area() - (600 + Math.PI * 25))).toBeLessThan(12);
});

test("undo and redo go back and forth", () => {
  const m = new Mask(10, 10);
  const h = new History();
  h.keep(m);
  m.data.fill(1);
  expect(h.undo(m) && m.area()).toBe(0);
  expect(h.undo(m)).toBe(false);
  expect(h.redo(m) && m.area()).toBe(100);
});

test("Dice", () => {
  expect(dice(square(20, 20, 0, 0, 10), square(20, 20, 5, 0, 10))).toBe(0.5);
  expect(dice(new Mask(3, 3), new Mask(3, 3))).toBe(1);
});

test("NIfTI comes back as it was written, gzipped or not", async () => {
  const m = square(31, 17, 3, 4, 9);
  const file = encode(m, 0.07);
  expect((await decode(file)).data).toEqual(m.data);
  expect((await decode(new Uint8Array(gzipSync(file)))).data).toEqual(m.data);
  await expect(decode(file.slice(0, 400))).rejects.toThrow("cut short");
  await expect(decode(new Uint8Array(500))).rejects.toThrow("not a NIfTI");
});
