// docs/errors.md: every code of a refusal and of a field, every event, with the texts people see.

import { ERROR_CODES, type ErrorCode, FIELD_ERROR_CODES, type FieldErrorCode } from '../../src/domain/errors.ts'
import { LOGIN_OUTCOMES, type LoginOutcome } from '../../src/domain/events.ts'
import { statusOf } from '../../src/http/errors.ts'
import { errorTexts, fieldText } from '../../src/i18n/messages.ts'
import { translator } from '../../src/i18n/translate.ts'
import { membersOf } from './declarations.ts'
import { table } from './markdown.ts'

export function errorsPage(sources: { readonly events: string }): string {
  const t = translator('en')
  const codes = ERROR_CODES.map((code) => {
    const { title, detail } = errorTexts(t, code, 'api')
    return `### ${code}\n\n**${statusOf(code)}** “${title}” ${detail}\n\n${WHAT_TO_DO[code]}`
  })
  const fields = FIELD_ERROR_CODES.map((code) => {
    const message = fieldText(t, { field: '', code, values: LIMITS[code] ?? {} })
    return [`\`${code}\``, message, FIELD_MEANINGS[code]]
  })
  const events = membersOf(sources.events, 'MembershipEvents').map(({ name, type, comment, members }) => {
    const payload = members.length > 0 ? members.map((member) => `${member.name}: ${member.type}`).join('; ') : type
    if (comment === '') throw new Error(`the event ${name} has no doc comment`)
    return [`\`${name}\``, comment, `\`${payload.replaceAll('readonly ', '')}\``]
  })
  return [
    '# Refusals and events',
    'A refusal has a `code`. It is part of the API: the list is closed, a code never changes its meaning and is never used again for another. Titles, details and messages are for people, in their language; do not compare them.',
    '## Codes of refusals',
    ...codes,
    '## Codes of fields',
    'In `errors` of `invalid_input`: `{ field, code, message }`.',
    table(['code', 'message', 'meaning'], fields),
    '## Events',
    '`membership.on(name, listener)` tells what happened, after it happened. A listener that throws is logged and spoils nothing.',
    table(['event', 'when', 'payload'], events),
    'A login has one of these outcomes:',
    table(['outcome', 'meaning'], outcomes),
  ].join('\n\n')
}

const WHAT_TO_DO: Readonly<Record<ErrorCode, string>> = {
  malformed:
    'The body is not valid JSON or not UTF-8, or the path cannot be decoded. Mend the program that sends it; the same request will fail again.',
  invalid_input:
    'What arrived could be read and does not fit. `errors` names each field, its code and a sentence to show beside it.',
  invalid_credentials:
    'Ask the person again. The answer does not tell whether the name exists, the password is wrong or the account is closed.',
  invalid_code:
    'Ask for the code again. It is wrong, was used, has expired, or was tried five times: then have another mail sent.',
  invalid_token: 'The token of the link is wrong, was used, or has expired. Have another mail sent.',
  login_required: 'There is no session, or it has ended. Log in, then send the request again.',
  recent_login_required: 'Send the password to `/reauthenticate`, then send the request again.',
  forbidden:
    'The person is logged in and lacks the role that `requireMember({ role })` asks for. Only an operator can change that.',
  already_logged_in: '`requireGuest` guards this route. Send the person on, or log out first.',
  cross_site_request:
    'The browser says that another site sends this write. Add the exact origin to `trustedOrigins` if it is yours; in development the detail names the base URL that is expected.',
  username_taken: 'Ask for another username. Letter case does not make a name different.',
  registration_closed: 'Accounts are made by an operator: `guildhall user create NAME`.',
  refused:
    'A hook of the host application refused with `throw new RefusalError(reason, text)`. `reason` is its code, `detail` its text.',
  not_found: 'The path or the id is unknown. Ids of other people are as unknown as ids that never were.',
  method_not_allowed: '`Allow` names the methods of this path.',
  wrong_host: 'The server is reached by another name than that of `BASE_URL`. Mend the name, or the proxy that passes it on.',
  body_too_large: 'Send at most 16 KiB.',
  unsupported_media_type: 'The API takes `application/json`, forms are `application/x-www-form-urlencoded`, both in UTF-8.',
  too_many_requests: 'Wait as many seconds as `Retry-After` says. Trying sooner does not make it longer.',
  overloaded: 'Too many passwords are being checked at once. Try again after `Retry-After`; the try was not counted.',
  store_unavailable:
    'The database does not answer in time. Nothing was changed. Try again after `Retry-After`, and look at `/readyz`.',
  internal: 'A mistake in the program. The log has it under the `requestId`.',
}

const FIELD_MEANINGS: Readonly<Record<FieldErrorCode, string>> = {
  required: 'It is missing or empty.',
  wrong_type: 'It is not of the type that the field has.',
  duplicate: 'A form has it twice.',
  too_short: 'It has too few characters.',
  too_long: 'It has too many characters.',
  bad_characters: 'It has characters that this field does not take.',
  reserved: 'The username is kept for the site itself.',
  too_common: 'The password is on the list of common ones.',
  too_personal: 'Without username, address and site name too little of the password is left.',
  unchanged: 'The new password is the one that it is to replace.',
  unknown_choice: 'It is none of the values that the field takes.',
  not_an_address: 'It is no mail address: one `@`, ASCII before it, a domain with a dot after it.',
  taken: 'Another user has proven this address. Operators alone are told.',
}

const LIMITS: Readonly<Partial<Record<FieldErrorCode, Readonly<Record<string, number>>>>> = {
  too_short: { min: 8 },
  too_long: { max: 64 },
}

const OUTCOMES: Readonly<Record<LoginOutcome, string>> = {
  success: 'The person is logged in.',
  wrong_credentials: 'Name or password were wrong, or the account is closed. `user` is there where the name exists.',
  throttled: 'Refused before the password was looked at: too many tries.',
  overloaded: 'Refused before the password was looked at: too many hashes in line.',
  refused: 'The proof was right, and the hook `beforeSignIn` refused.',
}

const outcomes = LOGIN_OUTCOMES.map((name) => [`\`${name}\``, OUTCOMES[name]])
