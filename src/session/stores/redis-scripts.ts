// What Redis does with a session, each verb in one script.
import { RETENTION_MS, script } from '../../database/redis/script.ts'

/** The prefix of a data field's name; the key follows as JSON text. */
export const DATA = 'data:'

const EXPIRE = `local function expire_after(expires)
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(expires) + ${RETENTION_MS}))
end`

// Superseded sessions can only be read.
const ONLY_IF_IT_LIVES = `local idle = redis.call('HGET', KEYS[1], 'idleMs')
if not idle or idle == '0' then return 0 end`

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** Arguments: when it expires, then names and values. */
export const CREATE = script(`${EXPIRE}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for at = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
expire_after(ARGV[1])
return 1`)

export const FIND = script(`return redis.call('HGETALL', KEYS[1])`)

/** Arguments: the expected revision ('' for any), the number of fields, their names and values, then the names to remove. */
export const UPDATE = script(`${ONLY_IF_IT_LIVES}
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
local removed = 3 + 2 * tonumber(ARGV[2])
for at = 3, removed - 1, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
for at = removed, #ARGV do redis.call('HDEL', KEYS[1], ARGV[at]) end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
return 1`)

/** Arguments: lastSeenAt, expiresAt; for new limits also idleMs, endsAt, persistent. */
export const TOUCH = script(`${EXPIRE}
${ONLY_IF_IT_LIVES}
local function later(name, value)
  local before = redis.call('HGET', KEYS[1], name)
  if tonumber(value) <= tonumber(before) then return before end
  redis.call('HSET', KEYS[1], name, value)
  return value
end
later('lastSeenAt', ARGV[1])
if not ARGV[3] then
  expire_after(later('expiresAt', ARGV[2]))
  return 1
end
redis.call('HSET', KEYS[1], 'expiresAt', ARGV[2], 'idleMs', ARGV[3], 'endsAt', ARGV[4], 'persistent', ARGV[5])
expire_after(ARGV[2])
return 1`)

/** Argument: until when it can be read. */
export const SUPERSEDE = script(`${EXPIRE}
${ONLY_IF_IT_LIVES}
local expires = redis.call('HGET', KEYS[1], 'expiresAt')
if tonumber(ARGV[1]) < tonumber(expires) then expires = ARGV[1] end
redis.call('HSET', KEYS[1], 'idleMs', '0', 'expiresAt', expires, 'endsAt', expires)
expire_after(expires)
return 1`)

/** Returns the unchanging part of the row, which says whose session it was. */
export const DELETE = script(`local row = redis.call('HGET', KEYS[1], 'row')
redis.call('DEL', KEYS[1])
return row`)

/** Adds a session to its user's index, with Redis's time: the hash and when it ends. The index lives as long as its last session. */
export const ADD_TO_INDEX = script(`${NOW}
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
local left = redis.call('PTTL', KEYS[1])
local ends = tonumber(ARGV[2]) + ${RETENTION_MS}
if left < 0 or now + left < ends then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends)) end
return 1`)

/** Returns the hashes of an index, the oldest first, and how many are so old that their sessions must exist by now. */
export const READ_INDEX = script(`${NOW}
return { redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now - ${RETENTION_MS})), redis.call('ZRANGE', KEYS[1], 0, -1) }`)

export const REMOVE_FROM_INDEX = script(`for _, hash in ipairs(ARGV) do redis.call('ZREM', KEYS[1], hash) end
return 1`)
