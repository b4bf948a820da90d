-- All that the relay does in Redis. Each call is one operation: all of it or nothing, in order with all others.
--
-- ARGV: operation, commits seen, an epoch to begin if need be, arguments of the operation.
-- Returns the number of commits and what the operation returns, as one string of values, each after its
-- length in four bytes: Redis's own way of nesting values costs the relay more time than all else.
--
-- Every key begins alike, with a hash tag that keeps them together in a cluster:
--   epoch, commits        this life of the store and how far it has come
--   sources               set: ids of sources that were not removed
--   source:ID             hash: name kind secrets gzip bearer delivered removed capability
--   capability:HASH       string: id of the source
--   tombs                 sorted set: ids of removed sources by when
--   codes, code_times     hash: source of a code; sorted set: codes by when they end
--   devices               set: ids of all devices
--   devices:SOURCE        set: ids of a source's devices
--   route:SOURCE:ROUTE    set: ids of the devices of one user
--   claims                hash: device and public key that a code was spent for
--   device:ID             hash: source key route token head broker broker_user pulled seat
--   removed               set: ids of devices that were removed
--   token:HASH            string: id of the device
--   mail:ID, order:ID     hash: sealed hint of a slot; sorted set: slots by number
--   ages                  sorted set: device and slot of all hints by when they came
--   shortened             when the log was last written anew
--   payloads              sorted set: digests of payloads by when they came

local MAILBOX_MAX = @MAILBOX_MAX@
local PURGED_AT_ONCE = @PURGED_AT_ONCE@
local DIRTY_SLOT = ''
local FIRST = 4 -- the first argument of the operation in ARGV
local P = '{obdesk-relay}:'

local call = redis.call

local function whole(number)
  return string.format('%.0f', number)
end

local function value_of(value)
  if not value then
    return '\255\255\255\255'
  end
  local text = type(value) == 'number' and whole(value) or value
  return struct.pack('>I4', #text) .. text
end

local function packed(commits, result)
  local parts = {value_of(commits)}
  if type(result) ~= 'table' then
    result = {result or false}
  end
  for _, value in ipairs(result) do
    parts[#parts + 1] = value_of(value)
  end
  return table.concat(parts)
end

local function go_on(seen, candidate)
  -- Less than somebody has seen is there when Redis was put back to an earlier state (F59), nothing when
  -- it lost all (F58): either way a new life begins.
  local epoch = call('GET', P .. 'epoch')
  local commits = tonumber(call('GET', P .. 'commits') or '0')
  if not epoch or commits < seen then
    epoch, commits = candidate, math.max(commits, seen)
    call('SET', P .. 'epoch', epoch)
    call('SET', P .. 'commits', whole(commits))
  end
  return epoch, commits
end

-- Mailboxes ---------------------------------------------------------------------------------------

local function age_name(device, slot)
  return device .. '\0' .. slot
end

local function empty_mailbox(device)
  for _, slot in ipairs(call('ZRANGE', P .. 'order:' .. device, 0, -1)) do
    call('ZREM', P .. 'ages', age_name(device, slot))
  end
  call('DEL', P .. 'order:' .. device, P .. 'mail:' .. device)
end

local function put(device, slot, sealed, seq, now)
  call('HSET', P .. 'mail:' .. device, slot, sealed)
  call('ZADD', P .. 'order:' .. device, whole(seq), slot)
  call('ZADD', P .. 'ages', now, age_name(device, slot))
end

local function take(device, slot)
  call('HDEL', P .. 'mail:' .. device, slot)
  call('ZREM', P .. 'order:' .. device, slot)
  call('ZREM', P .. 'ages', age_name(device, slot))
end

local function deliver_one(source, device, slot, sealed, dirty, now)
  local key = P .. 'device:' .. device
  if call('HGET', key, 'source') ~= source then
    return false
  end
  local seq = math.max(tonumber(call('HGET', key, 'head')) + 1, tonumber(now))
  call('HSET', key, 'head', whole(seq))
  put(device, slot, sealed, seq, now)
  if call('ZCARD', P .. 'order:' .. device) > MAILBOX_MAX then
    empty_mailbox(device)
    put(device, DIRTY_SLOT, dirty, seq, now)
  end
  return true
end

-- Sources -----------------------------------------------------------------------------------------

local SOURCE = {'name', 'kind', 'secrets', 'gzip', 'bearer', 'delivered', 'removed'}

local function source_row(id)
  local row = call('HMGET', P .. 'source:' .. id, unpack(SOURCE))
  if not row[1] then
    return false
  end
  table.insert(row, 1, id)
  return row
end

local function follow(id, field, now)
  local key = P .. 'source:' .. id
  if call('SISMEMBER', P .. 'sources', id) == 0 then
    return
  end
  if tonumber(call('HGET', key, field) or '0') < tonumber(now) then
    call('HSET', key, field, now)
  end
end

local function forget_address(id)
  local old = call('HGET', P .. 'source:' .. id, 'capability')
  if old then
    call('DEL', P .. 'capability:' .. old)
  end
end

-- Devices -----------------------------------------------------------------------------------------

local function leave_route(id)
  local source, route = unpack(call('HMGET', P .. 'device:' .. id, 'source', 'route'))
  if route then
    call('SREM', P .. 'route:' .. source .. ':' .. route, id)
  end
end

local function enter_route(id, route)
  local source = call('HGET', P .. 'device:' .. id, 'source')
  call('HSET', P .. 'device:' .. id, 'route', route)
  call('SADD', P .. 'route:' .. source .. ':' .. route, id)
end

local function drop_device(id)
  local source, token = unpack(call('HMGET', P .. 'device:' .. id, 'source', 'token'))
  if not source then
    return 0
  end
  leave_route(id)
  empty_mailbox(id)
  call('SREM', P .. 'devices', id)
  call('SREM', P .. 'devices:' .. source, id)
  call('DEL', P .. 'token:' .. token, P .. 'device:' .. id)
  return 1
end

local function remove_device(id)
  if drop_device(id) == 0 then
    return 0
  end
  call('SADD', P .. 'removed', id)
  return 1
end

local function device_row(id)
  local row = call('HMGET', P .. 'device:' .. id, 'source', 'key', 'route', 'pulled', 'seat')
  table.insert(row, 1, id)
  return row
end

local function rows(ids, row)
  local found = {}
  for _, id in ipairs(ids) do
    for _, value in ipairs(row(id)) do
      found[#found + 1] = value
    end
  end
  return found
end

-- What is read ------------------------------------------------------------------------------------

local reads = {}

function reads.source(id)
  return call('SISMEMBER', P .. 'sources', id) == 1 and source_row(id)
end

function reads.source_of(capability)
  local id = call('GET', P .. 'capability:' .. capability)
  return id and source_row(id)
end

function reads.sources()
  return rows(call('SMEMBERS', P .. 'sources'), source_row)
end

function reads.device_of(token)
  local id = call('GET', P .. 'token:' .. token)
  return id and device_row(id)
end

local function good_code(code, now)
  local expires = call('ZSCORE', P .. 'code_times', code)
  if not expires or tonumber(expires) <= tonumber(now) then
    return false, false, false
  end
  local claim = call('HGET', P .. 'claims', code)
  local cut = claim and string.find(claim, '\0', 1, true)
  return call('HGET', P .. 'codes', code), claim and string.sub(claim, 1, cut - 1), claim and string.sub(claim, cut + 1)
end

function reads.code(code, now)
  return {good_code(code, now)}
end

function reads.devices(source)
  return rows(call('SMEMBERS', P .. 'devices:' .. source), device_row)
end

function reads.recipients(source, route)
  return rows(call('SMEMBERS', P .. 'route:' .. source .. ':' .. route), device_row)
end

function reads.inbox(device, after, limit)
  local order = P .. 'order:' .. device
  local found = call('ZRANGEBYSCORE', order, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  local values = {call('GET', P .. 'epoch'), call('HGET', P .. 'device:' .. device, 'head') or '0'}
  for at = 1, #found, 2 do
    values[#values + 1] = found[at + 1]
    values[#values + 1] = call('HGET', P .. 'mail:' .. device, found[at])
  end
  return values
end

function reads.has_news(device, after)
  return call('ZCOUNT', P .. 'order:' .. device, '(' .. after, '+inf')
end

function reads.was_removed(device)
  return call('SISMEMBER', P .. 'removed', device)
end

function reads.broker(device)
  return call('HMGET', P .. 'device:' .. device, 'broker', 'broker_user')
end

function reads.figures()
  local oldest = call('ZRANGE', P .. 'ages', 0, 0, 'WITHSCORES')
  return {
    call('SCARD', P .. 'sources'), call('SCARD', P .. 'devices'), call('ZCARD', P .. 'ages'), oldest[2] or false,
  }
end

function reads.epoch()
  return call('GET', P .. 'epoch')
end

-- What is written ---------------------------------------------------------------------------------

local writes = {}

function writes.ping()
end

function writes.renew_epoch(epoch)
  call('SET', P .. 'epoch', epoch)
  return epoch
end

function writes.add_source(id, capability, ...)
  local key = P .. 'source:' .. id
  forget_address(id)
  call('DEL', key)
  call('HSET', key, 'capability', capability)
  for at, field in ipairs(SOURCE) do
    local value = select(at, ...)
    if value ~= '' or field == 'name' then
      call('HSET', key, field, value)
    end
  end
  call('SET', P .. 'capability:' .. capability, id)
  call('SADD', P .. 'sources', id)
  call('ZREM', P .. 'tombs', id)
end

function writes.remove_source(id, now, no_secrets)
  if call('SREM', P .. 'sources', id) == 0 then
    return 0
  end
  for _, device in ipairs(call('SMEMBERS', P .. 'devices:' .. id)) do
    remove_device(device)
  end
  local codes = call('HGETALL', P .. 'codes')
  for at = 1, #codes, 2 do
    if codes[at + 1] == id then
      call('HDEL', P .. 'codes', codes[at])
      call('HDEL', P .. 'claims', codes[at])
      call('ZREM', P .. 'code_times', codes[at])
    end
  end
  call('HDEL', P .. 'source:' .. id, 'bearer', 'delivered')
  call('HSET', P .. 'source:' .. id, 'name', '', 'secrets', no_secrets, 'removed', now)
  call('ZADD', P .. 'tombs', now, id)
  return 1
end

function writes.saw_bearer(id, now)
  follow(id, 'bearer', now)
end

function writes.add_code(code, source, expires)
  call('HSET', P .. 'codes', code, source)
  call('HDEL', P .. 'claims', code)
  call('ZADD', P .. 'code_times', expires, code)
end

function writes.add_device(id, source, key, route, token, broker)
  -- Its numbers go on where it was known before, and so does what was asked of the broker for it.
  local head, before, user = unpack(call('HMGET', P .. 'device:' .. id, 'head', 'broker', 'broker_user'))
  drop_device(id)
  call(
    'HSET', P .. 'device:' .. id,
    'source', source, 'key', key, 'token', token, 'head', head or '0', 'broker', before or broker
  )
  if user then
    call('HSET', P .. 'device:' .. id, 'broker_user', user)
  end
  call('SADD', P .. 'devices', id)
  call('SADD', P .. 'devices:' .. source, id)
  call('SET', P .. 'token:' .. token, id)
  if route ~= '' then
    enter_route(id, route)
  end
end

function writes.spend_code(code, now, id, source, key, route, token, broker)
  local owner, made, public_key = good_code(code, now)
  if owner ~= source then
    return false
  end
  if not made then
    call('HSET', P .. 'claims', code, id .. '\0' .. key)
    writes.add_device(id, source, key, route, token, broker)
    return id
  end
  local before = call('HGET', P .. 'device:' .. made, 'token')
  if public_key ~= key or not before then
    return false
  end
  call('DEL', P .. 'token:' .. before)
  call('SET', P .. 'token:' .. token, made)
  call('HSET', P .. 'device:' .. made, 'token', token)
  if route ~= '' then
    writes.set_route(made, route)
  end
  return made
end

function writes.pulled(id, now, old)
  local key = P .. 'device:' .. id
  local source, route, seat = unpack(call('HMGET', key, 'source', 'route', 'seat'))
  if not source then
    return
  end
  local group = route and 'route:' .. source .. ':' .. route or 'devices:' .. source
  local taken = {}
  for _, other in ipairs(call('SMEMBERS', P .. group)) do
    local its_route, pulled, its_seat = unpack(call('HMGET', P .. 'device:' .. other, 'route', 'pulled', 'seat'))
    if other ~= id and its_route == route and pulled and tonumber(pulled) > tonumber(old) and its_seat then
      taken[its_seat] = true
    end
  end
  if not seat or taken[seat] then
    local free = 0
    while taken[whole(free)] do
      free = free + 1
    end
    seat = whole(free)
  end
  call('HSET', key, 'pulled', now, 'seat', seat)
end

function writes.set_route(id, route)
  if call('EXISTS', P .. 'device:' .. id) == 1 then
    call('HDEL', P .. 'device:' .. id, 'seat')
    leave_route(id)
    enter_route(id, route)
  end
end

function writes.remove_device(id)
  return remove_device(id)
end

function writes.deliver(source, payload, now)
  if payload ~= '' and call('ZADD', P .. 'payloads', 'NX', now, payload) == 0 then
    return 0
  end
  follow(source, 'delivered', now)
  local woken = {}
  for at = FIRST + 3, #ARGV, 4 do
    if deliver_one(source, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], now) then
      woken[#woken + 1] = ARGV[at]
    end
  end
  if #woken > 0 then
    call('PUBLISH', P .. 'wake', table.concat(woken, '\0'))
  end
  return 1
end

function writes.acknowledge(device, upto)
  for _, slot in ipairs(call('ZRANGEBYSCORE', P .. 'order:' .. device, '-inf', upto)) do
    take(device, slot)
  end
end

function writes.set_broker(device, was, step, user)
  local key = P .. 'device:' .. device
  if call('HGET', key, 'broker') ~= was then
    return 0
  end
  call('HSET', key, 'broker', step)
  if user == '' then
    call('HDEL', key, 'broker_user')
  else
    call('HSET', key, 'broker_user', user)
  end
  return 1
end

function writes.shorten(now, day_ago)
  -- A day after the last time, or after the first purge, it is time to write Redis's log anew.
  local last = tonumber(call('GET', P .. 'shortened') or now)
  local is_time = last <= tonumber(day_ago)
  if is_time or last == tonumber(now) then
    call('SET', P .. 'shortened', now)
  end
  return is_time and 1 or 0
end

function writes.purge(now, old)
  local function aged(key, until_us)
    return call('ZRANGEBYSCORE', P .. key, '-inf', until_us, 'LIMIT', 0, PURGED_AT_ONCE)
  end
  local purged = 0
  for _, name in ipairs(aged('ages', old)) do
    local cut = string.find(name, '\0', 1, true)
    take(string.sub(name, 1, cut - 1), string.sub(name, cut + 1))
    purged = purged + 1
  end
  for _, payload in ipairs(aged('payloads', old)) do
    purged = purged + call('ZREM', P .. 'payloads', payload)
  end
  for _, code in ipairs(aged('code_times', now)) do
    call('HDEL', P .. 'codes', code)
    call('HDEL', P .. 'claims', code)
    purged = purged + call('ZREM', P .. 'code_times', code)
  end
  for _, source in ipairs(call('SMEMBERS', P .. 'sources')) do
    local bearer = call('HGET', P .. 'source:' .. source, 'bearer')
    if bearer and tonumber(bearer) <= tonumber(old) then
      purged = purged + call('HDEL', P .. 'source:' .. source, 'bearer')
    end
  end
  for _, source in ipairs(aged('tombs', old)) do
    forget_address(source)
    call('DEL', P .. 'source:' .. source)
    purged = purged + call('ZREM', P .. 'tombs', source)
  end
  return purged
end

-- The call ----------------------------------------------------------------------------------------

local FREES = {acknowledge = true, purge = true, remove_device = true, remove_source = true}

local name = ARGV[1]
if FREES[name] then
  -- Redis refuses to add anything once its memory is full, but not after a script has deleted something:
  -- so what makes room is done even then.
  call('DEL', P .. 'room')
end
local _, commits = go_on(tonumber(ARGV[2]), ARGV[3])
local result
if reads[name] then
  result = reads[name](ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2])
else
  commits = commits + 1
  call('SET', P .. 'commits', whole(commits))
  if name == 'deliver' then
    result = writes.deliver(ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2])
  else
    result = writes[name](unpack(ARGV, FIRST))
  end
end
return packed(commits, result)
