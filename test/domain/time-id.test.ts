// Ids that sort by time: RFC 9562, version 7.
import { expect, test } from 'vitest'
import { newTimeId } from '../../src/domain/secret.ts'

const NOW = Date.UTC(2030, 0, 1)

test('an id is a UUID of version 7 that says when it was made', () => {
  const id = newTimeId(NOW)
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(NOW)
})

test('ids of one process rise, within a millisecond and where the clock goes back', () => {
  const ids = Array.from({ length: 10_000 }, (_, n) => newTimeId(NOW + 1 - (n % 2)))
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
})
