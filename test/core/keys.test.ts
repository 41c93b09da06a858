// Keys come from the secrets of the settings; in development the secret is made once and kept.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keysFor } from '../../src/core/keys.ts'
import { openInternals } from '../../src/membership.ts'
import { CHEAP_HASHES } from '../support/site.ts'
import { failuresOf } from '../support/throttles.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guildhall-keys-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const OLD = 'an old secret of thirty-two bytes'
const NEW = 'a new secret of thirty-two bytes!'

test('X-06 a secret that is second in the list has the same key and the same id as before', () => {
  const [before] = keysFor('throttle', [OLD])
  const [now, rotated] = keysFor('throttle', [NEW, OLD])
  expect(rotated).toEqual(before)
  expect(now.id).not.toBe(before.id)
})

test('each purpose has a key of its own, and ids tell nothing of the secret', () => {
  const [throttle] = keysFor('throttle', [OLD])
  const [other] = keysFor('other', [OLD])
  expect(throttle.bytes).toHaveLength(32)
  expect(throttle.bytes).not.toEqual(other.bytes)
  expect(throttle.id).toMatch(/^[\w-]{8}$/)
})

const open = () => {
  const database = `sqlite:${join(folder, 'data', 'members.db')}`
  return openInternals({ baseUrl: 'http://localhost:3000', database, passwords: CHEAP_HASHES })
}

async function countOnce(): Promise<void> {
  const { core, membership } = open()
  await membership.migrate()
  try {
    await core.throttle.release(await core.throttle.take(failuresOf('1 per 1h'), 'somebody'), 'failure')
  } finally {
    await membership.close()
  }
}

test('the secret that development makes is kept: an account that was throttled before a restart is throttled after it', async () => {
  await countOnce()
  const file = join(folder, 'data', 'secret')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const kept = readFileSync(file, 'utf8')
  await expect(countOnce()).rejects.toMatchObject({ code: 'too_many_requests' })
  expect(readFileSync(file, 'utf8')).toBe(kept)
})

test('a kept secret that is damaged is a fault that says which file it is', async () => {
  await countOnce()
  writeFileSync(join(folder, 'data', 'secret'), 'short\n')
  expect(open).toThrow(`${join(folder, 'data', 'secret')} holds less than 32 bytes`)
})
