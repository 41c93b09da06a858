// Keys come from the secrets of the settings; in development the secret is made once and kept.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deriveKey } from '../../src/domain/secret.ts'
import { openInternals } from '../../src/membership.ts'
import { CHEAP_HASHES } from '../support/site.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guildhall-keys-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('each purpose has a key of its own', () => {
  const secret = 'an old secret of thirty-two bytes'
  const throttle = deriveKey(secret, 'throttle')
  expect(throttle).toHaveLength(32)
  expect(throttle).not.toEqual(deriveKey(secret, 'other'))
})

const open = () => {
  const database = `sqlite:${join(folder, 'data', 'members.db')}`
  return openInternals({ baseUrl: 'http://localhost:3000', database, passwords: CHEAP_HASHES })
}

async function countOnce(): Promise<void> {
  const { core, membership } = open()
  await membership.migrate()
  try {
    await core.throttle.count({ name: 'test', rate: '1 per 1h', onSuccess: 'keep' }, 'somebody')
  } finally {
    await membership.close()
  }
}

test('O21 the secret that development makes is kept: who was throttled before a restart is so after it', async () => {
  await countOnce()
  const file = join(folder, 'data', 'secret')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const kept = readFileSync(file, 'utf8')
  await expect(countOnce()).rejects.toMatchObject({ code: 'too_many_requests' })
  expect(readFileSync(file, 'utf8')).toBe(kept)
})

test('O21 a kept secret that is damaged is a fault that says which file it is', async () => {
  await countOnce()
  writeFileSync(join(folder, 'data', 'secret'), 'short\n')
  expect(open).toThrow(`${join(folder, 'data', 'secret')} holds less than 32 bytes`)
})
