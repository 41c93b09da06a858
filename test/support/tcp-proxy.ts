// Stands between a site and its server, and makes the network fail: cut, stalled, slow, refused.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

export class TcpProxy {
  #to: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<Pair>()
  readonly #server: Server
  #port = 0
  #stalled = false
  #delayMs = 0
  /** What came while it was stalled, and was passed on to nobody. */
  heldBytes = 0
  #swallows: string | undefined
  #lets: string | undefined

  private constructor(to: URL) {
    this.#to = placeOf(to)
    this.#server = createServer((client) => this.#pass(client))
  }

  /** Listens in front of the server of a URL. */
  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url))
    await proxy.#listen()
    return proxy
  }

  /** The same URL by way of this proxy. */
  urlOf(url: string): string {
    const through = new URL(url)
    through.host = `127.0.0.1:${this.#port}`
    return through.href
  }

  /** The address moves to another server: what is open ends, new connections lead there. */
  moveTo(url: string): void {
    this.#to = placeOf(new URL(url))
    this.cut()
  }

  /** Takes connections and bytes, and passes nothing on: a partition, a server that hangs. */
  stall(): void {
    this.#stalled = true
  }

  /** Every byte comes later by this time. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Ends what is open; new connections are taken. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    this.#pairs.clear()
  }

  /** The server is down: what is open ends, and nobody is let in. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  /** Cuts the connection that carries this text: before the server gets it, or before its answer arrives. */
  cutAt(text: string, { delivered }: { readonly delivered: boolean }): void {
    this.#lets = delivered ? text : undefined
    this.#swallows = delivered ? undefined : text
  }

  /** All is well again. What was stalled is lost, as after a partition. */
  async restore(): Promise<void> {
    if (this.#stalled) this.cut()
    this.#stalled = false
    this.#delayMs = 0
    this.#lets = undefined
    this.#swallows = undefined
    if (!this.#server.listening) await this.#listen()
  }

  async close(): Promise<void> {
    this.cut()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address: AddressInfo | string | null = this.#server.address()
    if (address !== null && typeof address === 'object') this.#port = address.port
  }

  #pass(client: Socket): void {
    const server = connect(this.#to)
    const pair = { client, server }
    this.#pairs.add(pair)
    const end = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    let isOver = false
    client.on('data', (bytes) => {
      if (this.#swallows !== undefined && bytes.includes(this.#swallows)) return end()
      if (this.#lets !== undefined && bytes.includes(this.#lets)) isOver = true
      this.#send(server, bytes)
    })
    server.on('data', (bytes) => {
      if (isOver) return end()
      this.#send(client, bytes)
    })
    for (const socket of [client, server]) {
      socket.on('error', end)
      socket.on('close', end)
    }
  }

  #send(to: Socket, bytes: Buffer): void {
    if (this.#stalled) {
      this.heldBytes += bytes.length
      return
    }
    if (this.#delayMs === 0) to.write(bytes)
    else setTimeout(() => to.write(bytes), this.#delayMs)
  }
}

function placeOf({ hostname, port }: URL): { readonly host: string; readonly port: number } {
  return { host: hostname, port: Number(port) }
}
