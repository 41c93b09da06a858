// Sends a file that is the same for everybody, and not again to whoever has it.
import type { Request, Response } from 'express'
import { setSharedHeaders } from './respond.ts'
import type { StaticFile } from './static-file.ts'

/** Answers a GET or HEAD. `caching`: for `Cache-Control`. */
export function sendStaticFile(req: Request, res: Response, file: StaticFile, caching: string): void {
  const { encoding, body, etag } = file.for(req)
  setSharedHeaders(res, caching)
  res.setHeader('Vary', 'Accept-Encoding')
  res.setHeader('ETag', etag)
  if (matches(req.headers['if-none-match'], etag)) return void res.status(304).end()
  res.setHeader('Content-Type', file.type)
  if (encoding !== undefined) res.setHeader('Content-Encoding', encoding)
  res.setHeader('Content-Length', body.length)
  res.end(req.method === 'HEAD' ? undefined : body)
}

/** RFC 9110 section 13.1.2: `*` is any, and a list is compared weakly, because a proxy that compresses weakens our tags. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
