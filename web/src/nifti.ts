import { Mask } from "./mask";

// NIfTI-1 as ITK-SNAP writes a two-dimensional segmentation: voxels in file order are columns first, never flipped by the
// affine.
const HEADER = 352;

// encode writes a mask as an uncompressed NIfTI-1 file; spacing is the size of a pixel in mm, 0 when unknown.
export function encode(m: Mask, spacing: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER + m.data.length);
  const v = new DataView(bytes.buffer);
  const mm = spacing > 0 ? spacing : 1;
  v.setInt32(0, 348, true);
  [3, m.width, m.height, 1, 1, 1, 1, 1].forEach((d, i) => v.setInt16(40 + 2 * i, d, true));
  v.setInt16(70, 2, true); // uint8
  v.setInt16(72, 8, true); // bits
  [1, mm, mm, 1, 0, 0, 0, 0].forEach((d, i) => v.setFloat32(76 + 4 * i, d, true));
  v.setFloat32(108, HEADER, true);
  v.setFloat32(112, 1, true); // slope
  v.setUint8(123, 2); // mm
  v.setInt16(254, 1, true); // sform: scanner
  const affine = [-mm, 0, 0, 0, 0, -mm, 0, 0, 0, 0, 1, 0];
  affine.forEach((d, i) => v.setFloat32(280 + 4 * i, d, true));
  [0x6e, 0x2b, 0x31, 0].forEach((d, i) => v.setUint8(344 + i, d)); // "n+1"
  bytes.set(m.data, HEADER);
  return bytes;
}

// decode reads a NIfTI-1 mask, gzipped or not; every voxel that is not 0 is inside.
export async function decode(file: Uint8Array<ArrayBuffer>): Promise<Mask> {
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? await gunzip(file) : file;
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = v.getInt32(0, true) === 348;
  if (!little && v.getInt32(0, false) !== 348) throw new Error("not a NIfTI-1 file");
  const [width, height, depth] = [42, 44, 46].map((at) => Math.max(1, v.getInt16(at, little)));
  if (depth !== 1) throw new Error(`${depth} slices, expected 1`);
  const read = reader(v, v.getInt16(70, little), little);
  const start = v.getFloat32(108, little);
  const m = new Mask(width, height);
  if (start + width * height * read.size > bytes.length) throw new Error("the file is cut short");
  for (let i = 0; i < m.data.length; i++) m.data[i] = read.at(start + i * read.size) !== 0 ? 1 : 0;
  return m;
}

// reader reads voxels of a NIfTI datatype.
function reader(v: DataView, type: number, little: boolean): { size: number; at: (i: number) => number } {
  switch (type) {
    case 2:
      return { size: 1, at: (i) => v.getUint8(i) };
    case 256:
      return { size: 1, at: (i) => v.getInt8(i) };
    case 4:
      return { size: 2, at: (i) => v.getInt16(i, little) };
    case 512:
      return { size: 2, at: (i) => v.getUint16(i, little) };
    case 8:
      return { size: 4, at: (i) => v.getInt32(i, little) };
    case 16:
      return { size: 4, at: (i) => v.getFloat32(i, little) };
    case 64:
      return { size: 8, at: (i) => v.getFloat64(i, little) };
  }
  throw new Error(`datatype ${type} is not read`);
}

async function gunzip(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
