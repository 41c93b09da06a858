// A Redis of a test's own, to be stopped, frozen, emptied and filled up.
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from 'redis'
import { getProgram, give, ownFolder, removeFolder, spawnServer } from './own-server.ts'
import { freePort } from './program.ts'

const MAX_START_MS = 20_000

/** Every write is on disk before it is answered. */
export const KEPT = ['--appendonly', 'yes', '--appendfsync', 'always'] as const
/** Nothing outlives the process. */
export const NOT_KEPT = ['--appendonly', 'no'] as const

export class OwnRedis {
  readonly port: number
  readonly folder: string
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder
    this.port = port
    this.#settings = settings
    process.once('exit', this.#end)
  }

  static async start(settings: readonly string[] = NOT_KEPT): Promise<OwnRedis> {
    const redis = new OwnRedis(ownFolder(), await freePort(), settings)
    await redis.start()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Until it answers. */
  async start(settings: readonly string[] = this.#settings): Promise<void> {
    const own = [
      '--bind',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--dir',
      this.folder,
      '--save',
      '',
      '--enable-debug-command',
      'yes',
      ...settings,
    ]
    const child = spawnServer(getProgram('redis-server'), own)
    this.#process = child
    this.#ended = new Promise((done) => child.once('exit', () => done()))
    const deadline = performance.now() + MAX_START_MS
    while ((await this.command('PING').catch(() => '')) !== 'PONG') {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error('redis-server did not start')
      await new Promise((done) => setTimeout(done, 10))
    }
  }

  /** A crash. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#ended
  }

  /** Starts again with an older copy: a file that SAVE wrote. */
  async restoreFrom(file: string): Promise<void> {
    await this.kill()
    // It reads no snapshot if it finds an append-only file.
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true })
    copyFileSync(file, join(this.folder, 'dump.rdb'))
    give(join(this.folder, 'dump.rdb'))
    await this.start(NOT_KEPT)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal)
  }

  /** One command, on a connection of its own. */
  async command(...command: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { connectTimeout: 1000, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    try {
      return await client.sendCommand([...command])
    } finally {
      client.destroy()
    }
  }

  async drop(): Promise<void> {
    this.signal('SIGCONT')
    await this.kill()
    process.removeListener('exit', this.#end)
    removeFolder(this.folder)
  }

  readonly #end = (): void => void this.#process?.kill('SIGKILL')
}

/** The numbers of INFO, by name. */
export async function infoOf(redis: OwnRedis, section: string): Promise<ReadonlyMap<string, string>> {
  const lines = String(await redis.command('INFO', section)).split('\r\n')
  return new Map(lines.filter((line) => line.includes(':')).map((line) => [line.split(':')[0] ?? '', line.split(':')[1] ?? '']))
}
