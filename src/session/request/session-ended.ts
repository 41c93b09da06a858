// What a login is told whose session was ended while it was renewed.

/** The session was ended, here or elsewhere, before its renewal was answered. The renewal is undone. */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEnded'

  constructor() {
    super('the session was ended before its renewal was answered')
  }
}
