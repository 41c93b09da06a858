// A PostgreSQL of a test's own, to be stopped, frozen, copied and promoted.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { getProgram, ownFolder, removeFolder, runAs } from './own-server.ts'
import { freePort } from './program.ts'

export class OwnPostgres {
  readonly port: number
  /** The data folder, owned by its own user. */
  readonly folder: string
  readonly #settings: readonly string[]

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder
    this.port = port
    this.#settings = settings
    process.once('exit', this.#end)
  }

  /** An empty one that runs. Settings as in postgresql.conf. */
  static async start(settings: readonly string[] = []): Promise<OwnPostgres> {
    const folder = ownFolder()
    const { code, output } = await runAs(getProgram('initdb'), [
      '-D',
      join(folder, 'data'),
      '-U',
      'postgres',
      '-A',
      'trust',
      '-N',
    ])
    if (code !== 0) throw new Error(`initdb: ${output}`)
    const server = new OwnPostgres(folder, await freePort(), settings)
    await server.start()
    return server
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
  }

  get data(): string {
    return join(this.folder, 'data')
  }

  /** Until it takes connections. */
  async start(more: readonly string[] = []): Promise<void> {
    const place = ['listen_addresses=127.0.0.1', `port=${this.port}`, `unix_socket_directories=${this.folder}`]
    const own = [...place, ...this.#settings, ...more]
    const options = own.map((setting) => `-c ${setting}`).join(' ')
    await this.#control('start', '-w', '-t', '60', '-l', join(this.folder, 'log'), '-o', options)
  }

  /** `immediate` is a crash: nothing is written any more. */
  stop(how: 'fast' | 'immediate' = 'immediate'): Promise<void> {
    return this.#control('stop', '-m', how, '-w')
  }

  /** Lines of pg_hba.conf in the place of all others. */
  allowOnly(lines: string): void {
    const file = join(this.data, 'pg_hba.conf')
    writeFileSync(file, `local all all trust\n${lines}\n`)
  }

  /** SIGSTOP or SIGCONT to every process of it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#processes()) {
      try {
        process.kill(pid, signal)
      } catch {
        // It ended meanwhile.
      }
    }
  }

  /** How many connections others have now; undefined if nobody says so. */
  async connections(): Promise<number | undefined> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 1000, query_timeout: 1000 })
    // It may be disconnected with all others.
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(
        "SELECT count(*)::int - 1 AS n FROM pg_stat_activity WHERE backend_type = 'client backend'",
      )
      return rows[0]?.n
    } catch {
      return undefined
    } finally {
      void client.end().catch(() => {})
    }
  }

  /** Another one that follows it, copied from it; it confirms each commit if the first one asks for that. */
  async follower(name: string): Promise<OwnPostgres> {
    const follower = new OwnPostgres(ownFolder(), await freePort(), [])
    const from = `host=127.0.0.1 port=${this.port} user=postgres application_name=${name}`
    const { code, output } = await runAs(getProgram('pg_basebackup'), [
      '-D',
      follower.data,
      '-d',
      from,
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
    ])
    if (code !== 0) throw new Error(`pg_basebackup: ${output}`)
    await follower.start()
    return follower
  }

  /** A follower becomes the first. */
  promote(): Promise<void> {
    return this.#control('promote', '-w')
  }

  async drop(): Promise<void> {
    this.signal('SIGCONT')
    await this.stop().catch(() => {})
    process.removeListener('exit', this.#end)
    removeFolder(this.folder)
  }

  async #control(...args: readonly string[]): Promise<void> {
    const [command = '', ...rest] = args
    const { code, output } = await runAs(getProgram('pg_ctl'), [command, '-D', this.data, ...rest])
    if (code === 0) return
    throw new Error(`pg_ctl ${command}: ${output}${command === 'start' ? this.#log() : ''}`)
  }

  /** The one that was started and all it has started. */
  #processes(): readonly number[] {
    const first = this.#pid()
    if (first === undefined) return []
    const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    const pairs = all.map((line) => line.trim().split(/\s+/).map(Number))
    return [first, ...pairs.filter(([, parent]) => parent === first).map(([pid = 0]) => pid)]
  }

  #pid(): number | undefined {
    try {
      return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch {
      return undefined
    }
  }

  #log(): string {
    try {
      return readFileSync(join(this.folder, 'log'), 'utf8')
    } catch {
      return ''
    }
  }

  /** Nobody else would. */
  readonly #end = (): void => {
    this.signal('SIGCONT')
    const pid = this.#pid()
    // SIGQUIT is the immediate stop.
    if (pid !== undefined) process.kill(pid, 'SIGQUIT')
  }
}
