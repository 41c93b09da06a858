// Hashers for tests: real algorithms, small parameters, closed after each test.
import { onTestFinished } from 'vitest'
import { createHasher, type HasherOptions, type PasswordHasher } from '../../src/passwords/hasher.ts'

export const SMALL: HasherOptions = {
  algorithm: 'argon2id',
  argon2: { memoryKiB: 1024, passes: 1 },
  bcryptCost: 4,
  peppers: [],
  workers: 2,
}

export function hasher(options: Partial<HasherOptions> = {}): PasswordHasher {
  const made = createHasher({ ...SMALL, ...options })
  onTestFinished(() => made.close())
  return made
}
