// Which sessions a full memory store evicts: those of the visitor who floods it, not those of users.
import { expect, test } from 'vitest'
import { MemoryStore } from '../../src/session/index.ts'
import { sessionRow } from '../../src/testing/session-row.ts'
import { HandClock, MINUTE, START } from './support.ts'

const MAX = 100

function open(clock = new HandClock()) {
  const store = new MemoryStore({ max: MAX, clock })
  let made = 0
  const create = (more: Parameters<typeof sessionRow>[0] = {}) => {
    const lifetime = {
      createdAt: clock.now(),
      lastSeenAt: clock.now(),
      expiresAt: START + 60 * MINUTE,
      endsAt: START + 60 * MINUTE,
    }
    const row = sessionRow({ hash: `hash-${made++}`, ...lifetime, ...more })
    store.create(row)
    return row.hash
  }
  const flood = (times = 10 * MAX) => Array.from({ length: times }, () => create())
  const has = (hash: string) => store.find(hash) !== undefined
  return { store, clock, create, flood, has }
}

test('a flood of first visits without cookies puts out nobody who came back, and nobody who is logged in', () => {
  const { store, create, flood, has } = open()
  const members = Array.from({ length: 30 }, (_, n) => create({ userId: `u${n}` }))
  const shoppers = Array.from({ length: 40 }, () => create())
  expect(shoppers.every(has)).toBe(true)
  flood()
  expect([...members, ...shoppers].every(has)).toBe(true)
  expect(store.size).toBe(MAX)
})

test('where many came back, those go first who did not come for longest, and a new visitor stays long enough to come back', () => {
  const { create, has } = open()
  const shoppers = Array.from({ length: MAX }, () => create()).filter(has)
  expect(shoppers.slice(0, 10).every(has)).toBe(true)
  const newcomers = Array.from({ length: 20 }, () => create())
  expect(newcomers.every(has)).toBe(true)
  expect(shoppers.slice(0, 10).every(has)).toBe(true)
  expect(shoppers.slice(10, 30).some(has)).toBe(false)
})

test('a visitor evicts no session of a user, and is told why there is none for them; a user evicts the one unused for longest', () => {
  const { store, create, has } = open()
  const members = Array.from({ length: MAX }, (_, n) => create({ userId: `u${n}` }))
  expect(() => create()).toThrow('MemoryStore: all 100 sessions are of users')
  expect(store.size).toBe(MAX)
  store.find(members[0] ?? '')
  const late = create({ userId: 'late' })
  expect([has(members[0] ?? ''), has(members[1] ?? ''), has(late), store.size]).toEqual([true, false, true, MAX])
})

test('a session that expired makes room before any other, also one of a user', () => {
  const { store, clock, create, has } = open()
  const brief = create({ userId: 'brief', expiresAt: START + MINUTE })
  const visitors = Array.from({ length: MAX - 1 }, () => create())
  clock.forward(2 * MINUTE)
  create()
  expect([has(brief), visitors.every(has), store.size]).toEqual([false, true, MAX])
})
