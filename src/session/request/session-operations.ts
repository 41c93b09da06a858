// What stands behind a session: the request it belongs to.
import type { Awaitable } from '../../domain/awaitable.ts'
import type { Cookie } from '../cookies/cookie.ts'
import type { SessionRow } from '../store.ts'

export interface SessionOperations<Row extends SessionRow = SessionRow> {
  readonly id: string
  readonly row: Row | undefined
  readonly cookie: Cookie
  regenerate(): Promise<void>
  destroy(): Promise<void>
  save(session: object): Promise<void>
  reload(session: object): Promise<void>
  touch(session: object): Promise<void>
  update<T>(session: object, change: (data: object) => Awaitable<T>): Promise<T>
}
