// What a request costs in statements, rows and cookies. Counted, not timed: the same on every machine.
import { type Measured, registerAndLogIn, startServer } from './processes.ts'

export interface CountResult {
  /** SQL statements per authenticated `GET /api/profile`. */
  readonly member: Counts
  /** The same per anonymous `GET /`. */
  readonly anonymous: Counts
  readonly anonymousCookies: number
}

interface Counts {
  readonly reads: number
  readonly writes: number
  /** `PRAGMA data_version`, at most one per millisecond however many requests there are. */
  readonly questions: number
}

const REQUESTS = 500

export async function countStatements(): Promise<CountResult> {
  const server = await startServer()
  try {
    const cookie = await registerAndLogIn(server.base)
    await server.ask('count statements')
    const member = await count(server, '/api/profile', { cookie })
    const anonymous = await count(server, '/', {})
    return { member: member.counts, anonymous: anonymous.counts, anonymousCookies: anonymous.cookies }
  } finally {
    await server.stop()
  }
}

async function count(
  server: Measured,
  path: string,
  headers: Record<string, string>,
): Promise<{ counts: Counts; cookies: number }> {
  const before = (await server.ask()).statements
  let cookies = 0
  for (let request = 0; request < REQUESTS; request++) {
    const response = await fetch(server.base + path, { headers })
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
    cookies += response.headers.getSetCookie().length
  }
  const after = (await server.ask()).statements
  const per = (kind: keyof Counts) => (after[kind] - before[kind]) / REQUESTS
  return { counts: { reads: per('reads'), writes: per('writes'), questions: per('questions') }, cookies }
}
