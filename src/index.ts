// The public names.
// The first import refuses an older Node; the next three bring the types of `req.user` and `req.session`.
import './domain/node-version.cts'

import './http/membership-session.ts'
import './http/request-extensions.ts'
import './session/index.ts'

export type { Clock } from './domain/clock.ts'
export type { Duration } from './domain/duration.ts'
export { type ErrorCode, type FieldError, type FieldErrorCode, MembershipError } from './domain/errors.ts'
export type { MembershipEvents } from './domain/events.ts'
export { type Hooks, RefusalError, type RegistrationAttempt, type SignInAttempt } from './domain/hooks.ts'
export type { Logger } from './domain/logger.ts'
export type { User } from './domain/user.ts'
export type { MemberRequirement } from './http/guards.ts'
export type { Mail, Mailbox, Mailer } from './mail/mail.ts'
export { createMembership, type Membership, type MembershipOptions, type OpenApiDocument } from './membership.ts'
export type { MailOptions, PasswordOptions, SessionTimes } from './settings/options.ts'
export type { NewUser } from './users/check-new-user.ts'
export type { UserSession } from './users/sessions.ts'
export type { UserDetails, Users } from './users/users.ts'
