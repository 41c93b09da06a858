// Holds requests at one place of a session store until somebody lets them go: the slowest request there can be.
import type { SessionRow, SessionStore } from '../../src/session/store.ts'

export type Place = 'read' | 'save' | 'touch'

export interface Barrier {
  /** Holds the next `count` requests that come to this place with this session. */
  set(place: Place, hash: string, count: number): { readonly full: Promise<void>; open(): void }
}

interface Held {
  left: number
  readonly opened: Promise<void>
  readonly filled: () => void
}

/** Puts the barrier into the store. A read is held after it has read, a write before it writes. */
export function barrierIn<Row extends SessionRow>(store: SessionStore<Row>): Barrier {
  const held = new Map<string, Held>()
  const find = store.find.bind(store)
  const update = store.update.bind(store)
  const touch = store.touch.bind(store)

  function arrive(place: Place, hash: string): Promise<void> | undefined {
    const here = held.get(`${place} ${hash}`)
    if (here === undefined || here.left === 0) return undefined
    here.left--
    if (here.left === 0) here.filled()
    return here.opened
  }

  store.find = (hash) => {
    const row = find(hash)
    const wait = arrive('read', hash)
    return wait ? wait.then(() => row) : row
  }
  store.update = (hash, patch) => {
    const wait = arrive('save', hash)
    return wait ? wait.then(() => update(hash, patch)) : update(hash, patch)
  }
  store.touch = (hash, seen) => {
    const wait = arrive('touch', hash)
    return wait ? wait.then(() => touch(hash, seen)) : touch(hash, seen)
  }

  return {
    set(place, hash, count) {
      const opening = Promise.withResolvers<void>()
      const filling = Promise.withResolvers<void>()
      const key = `${place} ${hash}`
      held.set(key, { left: count, opened: opening.promise, filled: filling.resolve })
      return {
        full: filling.promise,
        open() {
          held.delete(key)
          opening.resolve()
        },
      }
    },
  }
}
