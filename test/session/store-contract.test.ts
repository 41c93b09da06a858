// The contract suite itself: it passes right stores as often as it is run, and finds each of these wrong ones.
import { MemoryStore, type SessionRow, type UpdateOptions } from 'guildhall/session'
import { sessionStoreSuite } from 'guildhall/testing'
import { expect, test } from 'vitest'

/** The titles of the rules that a store breaks. */
async function brokenRules(makeStore: () => MemoryStore): Promise<string[]> {
  const rules: [title: string, body: () => Promise<void>][] = []
  const it = (title: string, body: () => Promise<void>) => rules.push([title, body])
  sessionStoreSuite('a store', makeStore, { describe: (_name, body) => body(), it })
  const broken: string[] = []
  for (const [title, body] of rules) await body().catch(() => broken.push(title))
  return broken
}

test('a right store passes, however often the suite is run in one process', async () => {
  // Keys like these are in V8's memory from here on, as after any run, https://github.com/nodejs/node/issues/63785
  for (const key of ['\\\\', '\\"', '\\u0041']) JSON.parse(`{"a":"1","${key}":"2"}`)
  for (let run = 0; run < 5; run++) expect(await brokenRules(() => new MemoryStore())).toEqual([])
})

test('a store that ends but the hundred sessions of a list fails', async () => {
  class HundredStore extends MemoryStore {
    override deleteByUser(userId: string, { except }: { readonly except?: string | undefined } = {}): number {
      const hashes = this.listByUser(userId).map(({ hash }) => hash)
      return this.delete(hashes.filter((hash) => hash !== except)).length
    }
  }
  expect(await brokenRules(() => new HundredStore())).toEqual([expect.stringMatching(/^11: .*ends all of them/)])
})

test('a store that lists sessions seen together in any order fails', async () => {
  class RandomStore extends MemoryStore {
    override listByUser(userId: string): readonly SessionRow[] {
      const shuffled = [...super.listByUser(userId)].toSorted(() => Math.random() - 0.5)
      return shuffled.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt)
    }
  }
  expect(await brokenRules(() => new RandomStore())).toEqual([expect.stringMatching(/^10: .*the newest first/)])
})

test('a store that overwrites a concurrent change fails', async () => {
  class CarelessStore extends MemoryStore {
    override update(hash: string, patch: Readonly<Record<string, string | null>>, _options?: UpdateOptions): boolean {
      return super.update(hash, patch)
    }
  }
  const broken = await brokenRules(() => new CarelessStore())
  expect(broken.length).toBeGreaterThan(0)
  expect(broken.filter((title) => !title.startsWith('8: '))).toEqual([])
})

test('a store that shows but a hundred live sessions fails', async () => {
  class ShortStore extends MemoryStore {
    override list(now: number, limit: number): readonly SessionRow[] {
      return super.list(now, Math.min(limit, 100))
    }
  }
  expect(await brokenRules(() => new ShortStore())).toEqual([expect.stringMatching(/^12: /)])
})
