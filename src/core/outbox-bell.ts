// Wakes the worker of the outbox. Only what a member causes may ring: a stranger could hear in the next answer that there was work.
export class OutboxBell {
  #onRing: () => void = () => {}

  /** After the commit. */
  ring(): void {
    this.#onRing()
  }

  onRing(listener: () => void): void {
    this.#onRing = listener
  }
}
