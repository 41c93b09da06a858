// Makes a screenshot small: a PNG with a palette of its 256 most frequent colours, as PNG (W3C, third edition) describes it.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const MOST_COLOURS = 256

interface Picture {
  readonly width: number
  readonly height: number
  /** Red, green, blue of each pixel as one number. */
  readonly pixels: Uint32Array
}

/** Takes what Chromium writes: eight bits a channel, with or without alpha, not interlaced. */
export function smallPng(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png)
  const { palette, indexOf } = reduce(pixels)
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indexOf.get(pixels[y * width + x] ?? 0) ?? 0
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3], 8) // Eight bits an index, colours from a palette.
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  const data = deflateSync(rows, { level: 9 })
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function reduce(pixels: Uint32Array): { palette: number[]; indexOf: ReadonlyMap<number, number> } {
  const counts = new Map<number, number>()
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  const colours = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour)
  const palette = colours.slice(0, MOST_COLOURS)
  const indexOf = new Map(colours.map((colour, at) => [colour, at < MOST_COLOURS ? at : nearest(palette, colour)]))
  return { palette, indexOf }
}

function nearest(palette: readonly number[], colour: number): number {
  const channel = (of: number, shift: number) => (of >> shift) & 255
  const distance = (other: number) => [16, 8, 0].reduce((sum, at) => sum + (channel(other, at) - channel(colour, at)) ** 2, 0)
  let best = 0
  for (const [at, other] of palette.entries()) if (distance(other) < distance(palette[best] ?? 0)) best = at
  return best
}

function decode(png: Buffer): Picture {
  const parts: Buffer[] = []
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length))
  }
  const width = png.readUInt32BE(16)
  const height = png.readUInt32BE(20)
  const size = png[25] === 6 ? 4 : 3
  const lines = unfilter(inflateSync(Buffer.concat(parts)), width * size, height, size)
  const pixels = new Uint32Array(width * height)
  for (let at = 0; at < pixels.length; at++) pixels[at] = lines.readUIntBE(at * size, 3)
  return { width, height, pixels }
}

/** Section 9: each byte was written as its difference from neighbours, in one of five ways a row. */
function unfilter(data: Buffer, stride: number, height: number, size: number): Buffer {
  const lines = Buffer.alloc(stride * height)
  const byte = (y: number, x: number) => (y < 0 || x < 0 ? 0 : (lines[y * stride + x] ?? 0))
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)]
    for (let x = 0; x < stride; x++) {
      const [left, up, corner] = [byte(y, x - size), byte(y - 1, x), x < size ? 0 : byte(y - 1, x - size)]
      const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, corner) : 0][filter ?? 0] ?? 0
      lines[y * stride + x] = (data[y * (stride + 1) + 1 + x] ?? 0) + guess
    }
  }
  return lines
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs) as [number, number, number]
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}
