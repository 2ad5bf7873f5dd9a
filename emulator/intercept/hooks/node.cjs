'use strict'
// Runs first in every Node process and worker of a command under `emulator exec`: leads connections for
// exchanges' hosts to the gate, makes the process trust the emulator's CA, and refuses what the guard does not
// allow. Node finds it through NODE_OPTIONS; what to do is in the variable EMULATOR_EXEC, and without it
// nothing is done. Only what Node 18 has is used.
//
// A connection to an exchange's name, on any port, is made to the gate's address by a lookup of our own, so all
// that is said of it in TLS and HTTP stays what it was. Where a program looks names up by itself, those of
// exchanges have one fake address of the loopback network, where nothing listens, which leads there as well.

const FAKE = '127.85.85.85'
// Refusals of one destination; later ones are written down in hundreds, since a bot may try for ever.
const TOLD_ONE_BY_ONE = 100
// The exit code of a process that cannot be guarded: an internal error, as sysexits.h has it.
const FAILED = 70

function install(contract) {
  const dgram = require('node:dgram')
  const dns = require('node:dns')
  const fs = require('node:fs')
  const net = require('node:net')
  const os = require('node:os')
  const threads = require('node:worker_threads')
  const tls = require('node:tls')
  const { domainToASCII } = require('node:url')

  const [gateHost, gatePort] = contract.gate
  const gateFamily = net.isIP(gateHost)
  const { guard } = contract

  // What is led where, and what may leave

  // A name as names are compared, and as a socket would look it up.
  function plain(host) {
    const name = String(host)
    const ascii = /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name) || name
    return ascii.toLowerCase().replace(/\.$/, '')
  }

  const domains = contract.domains.map(plain)
  const local = new Set([os.hostname(), ...(contract.local ?? [])].map(plain))
  const allowed = new Map()
  for (const entry of contract.allow) {
    const found = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(entry)
    permit(plain(found ? (found[1] ?? found[2]) : entry.replace(/^\[|\]$/g, '')), [found ? Number(found[3]) : null])
  }

  function permit(host, ports) {
    if (!allowed.has(host)) allowed.set(host, new Set())
    for (const port of ports) allowed.get(host).add(port)
  }

  function isExchange(host) {
    const name = plain(host)
    return domains.some((domain) => name === domain || name.endsWith('.' + domain))
  }

  const leads = (host) => host === FAKE || host === '::ffff:' + FAKE || isExchange(host)

  function isLocal(host) {
    const name = plain(host)
    if (name === '' || name === 'localhost' || name.endsWith('.localhost') || local.has(name)) return true
    const version = net.isIP(name)
    return version !== 0 && thisMachine.check(name, `ipv${version}`)
  }

  // It compares addresses of IPv6 whichever way they are written.
  const thisMachine = new net.BlockList()
  thisMachine.addAddress('::', 'ipv6')
  thisMachine.addAddress('::1', 'ipv6')
  thisMachine.addSubnet('127.0.0.0', 8, 'ipv4')
  thisMachine.addAddress('0.0.0.0', 'ipv4')

  function mayConnect(host, port) {
    if (isExchange(host)) return false
    if (!guard || isLocal(host)) return true
    const ports = allowed.get(plain(host))
    return ports !== undefined && (ports.has(null) || ports.has(Number(port)))
  }

  function mayResolve(host) {
    if (isExchange(host)) return false
    return !guard || isLocal(host) || allowed.has(plain(host)) || net.isIP(host) !== 0
  }

  // The addresses of an allowed name, or of this machine's own, may be connected to as it may.
  function learn(host, addresses) {
    const ports = local.has(plain(host)) ? [null] : allowed.get(plain(host))
    if (guard && ports !== undefined) for (const address of addresses) permit(plain(address), [...ports])
  }

  const counts = new Map()

  function tell(host, port, count) {
    const said = { host: String(host), port: port == null ? '' : String(port), by: 'node', pid: process.pid, count }
    try {
      fs.appendFileSync(contract.report, JSON.stringify(said) + '\n', { mode: 0o600 })
    } catch {
      // What is refused stays refused, told or not.
    }
  }

  function refuse(host, port) {
    const key = JSON.stringify([String(host), port == null ? '' : String(port)])
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count <= TOLD_ONE_BY_ONE) tell(host, port, 1)
    else if (count % TOLD_ONE_BY_ONE === 0) tell(host, port, TOLD_ONE_BY_ONE)
  }

  process.on('exit', () => {
    for (const [key, count] of counts) {
      if (count > TOLD_ONE_BY_ONE && count % TOLD_ONE_BY_ONE) tell(...JSON.parse(key), count % TOLD_ONE_BY_ONE)
    }
  })

  function failure(code, syscall, host, port) {
    const where = port == null ? host : `${host}:${port}`
    const error = new Error(`${syscall} ${code} ${where} (emulator exec does not let it out)`)
    const errno = code === 'ECONNREFUSED' ? -os.constants.errno.ECONNREFUSED : undefined
    return Object.assign(error, { errno, code, syscall }, syscall === 'connect' ? { address: host, port } : { hostname: host })
  }

  // TCP and TLS

  const connect = net.Socket.prototype.connect

  function lookUpGate(_name, options, callback) {
    if (options.all) callback(null, [{ address: gateHost, family: gateFamily }])
    else callback(null, gateHost, gateFamily)
  }

  // (options), (path) or (port, host), each with or without a callback; net.connect has made a list of these.
  function understood(given) {
    if (Array.isArray(given[0])) return given[0]
    const callback = typeof given.at(-1) === 'function' ? given.at(-1) : null
    const [first, second] = given
    if (typeof first === 'object' && first !== null) return [first, callback]
    const isPath = typeof first === 'string' && Number.isNaN(Number(first))
    if (isPath) return [{ path: first }, callback]
    return [typeof second === 'string' ? { port: first, host: second } : { port: first }, callback]
  }

  net.Socket.prototype.connect = function (...given) {
    const [options, callback] = understood(given)
    if (options.path) return connect.apply(this, given)
    const host = options.host || 'localhost'
    if (leads(host)) {
      // Who connects to a bare name with TLS says no name otherwise, and the gate would not know it.
      if (this instanceof tls.TLSSocket && !options.servername && !net.isIP(host)) this.setServername(host)
      const name = net.isIP(host) ? gateHost : host
      const led = { ...options, host: name, port: gatePort, lookup: lookUpGate, family: undefined }
      return callback ? connect.call(this, led, callback) : connect.call(this, led)
    }
    if (mayConnect(host, options.port)) return connect.apply(this, given)
    refuse(host, options.port)
    if (callback) this.once('connect', callback)
    this.connecting = true
    process.nextTick(() => this.destroy(failure('ECONNREFUSED', 'connect', host, options.port)))
    return this
  }

  const createSecureContext = tls.createSecureContext
  const ca = fs.readFileSync(contract.ca, 'utf8')

  // Otherwise NODE_EXTRA_CA_CERTS has it, but who names CAs trusts no others.
  tls.createSecureContext = function (options, ...rest) {
    const named = options?.ca
    return createSecureContext.call(this, named ? { ...options, ca: [named, ca].flat() } : options, ...rest)
  }

  // Names

  const mayResolveBack = (address) => mayConnect(address, null)

  function judge(name, onExchange, onRefused, onAllowed, may = mayResolve) {
    if (typeof name !== 'string' || name === '') return onAllowed()
    if (isExchange(name)) return onExchange()
    if (may(name)) return onAllowed()
    refuse(name, null)
    return onRefused()
  }

  const { lookup } = dns

  dns.lookup = function (name, options, callback) {
    const answer = callback ?? options
    const chosen = typeof options === 'object' && options !== null ? options : {}
    const family = typeof options === 'number' ? options : chosen.family
    if (typeof answer !== 'function') return lookup.apply(this, arguments)
    return judge(
      name,
      () => {
        if (family === 6 || family === 'IPv6') process.nextTick(answer, failure('ENOTFOUND', 'getaddrinfo', name))
        else if (chosen.all) process.nextTick(answer, null, [{ address: FAKE, family: 4 }])
        else process.nextTick(answer, null, FAKE, 4)
        return {}
      },
      () => {
        process.nextTick(answer, failure('ENOTFOUND', 'getaddrinfo', name))
        return {}
      },
      () =>
        lookup.call(this, name, typeof options === 'function' ? {} : options, (error, found, ...more) => {
          if (!error) learn(name, Array.isArray(found) ? found.map((one) => one.address) : [found])
          answer(error, found, ...more)
        }),
    )
  }
  Object.defineProperty(dns.lookup, require('node:util').promisify.custom, {
    value: (name, options) => dns.promises.lookup(name, options),
  })

  const lookupPromise = dns.promises.lookup

  dns.promises.lookup = function (name, options) {
    const chosen = typeof options === 'object' && options !== null ? options : { family: options }
    return judge(
      name,
      async () => {
        if (chosen.family === 6 || chosen.family === 'IPv6') throw failure('ENOTFOUND', 'getaddrinfo', name)
        const found = { address: FAKE, family: 4 }
        return chosen.all ? [found] : found
      },
      async () => {
        throw failure('ENOTFOUND', 'getaddrinfo', name)
      },
      async () => {
        const found = await lookupPromise.call(this, name, options)
        learn(
          name,
          [found].flat().map((one) => one.address),
        )
        return found
      },
    )
  }

  // Names of addresses
  const BACKWARDS = ['reverse', 'lookupService']
  const QUESTIONS = [
    ...BACKWARDS, 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname', 'resolveMx', 'resolveNaptr',
    'resolveNs', 'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTlsa', 'resolveTxt',
  ]

  // Of an exchange's name there is its address, and nothing else.
  function recordsOf(question, rest) {
    const wantsA = question === 'resolve4' || (question === 'resolve' && (typeof rest[0] !== 'string' || rest[0] === 'A'))
    if (!wantsA) return null
    return rest.some((one) => one && one.ttl) ? [{ address: FAKE, ttl: 60 }] : [FAKE]
  }

  function learnRecords(name, records) {
    if (Array.isArray(records)) learn(name, records.map((one) => one?.address ?? one).filter((one) => net.isIP(one)))
  }

  function withCallback(question, original) {
    return function (name, ...rest) {
      const answer = rest.at(-1)
      if (typeof answer !== 'function') return original.call(this, name, ...rest)
      const records = recordsOf(question, rest.slice(0, -1))
      return judge(
        name,
        () => process.nextTick(answer, records ? null : failure('ENODATA', question, name), records ?? undefined),
        () => process.nextTick(answer, failure('ENOTFOUND', question, name)),
        () =>
          original.call(this, name, ...rest.slice(0, -1), (error, found, ...more) => {
            if (!error) learnRecords(name, found)
            answer(error, found, ...more)
          }),
        BACKWARDS.includes(question) ? mayResolveBack : mayResolve,
      )
    }
  }

  function withPromise(question, original) {
    return function (name, ...rest) {
      const records = recordsOf(question, rest)
      return judge(
        name,
        async () => {
          if (records === null) throw failure('ENODATA', question, name)
          return records
        },
        async () => {
          throw failure('ENOTFOUND', question, name)
        },
        async () => {
          const found = await original.call(this, name, ...rest)
          learnRecords(name, found)
          return found
        },
        BACKWARDS.includes(question) ? mayResolveBack : mayResolve,
      )
    }
  }

  for (const [holder, change] of [
    [dns, withCallback],
    [dns.Resolver.prototype, withCallback],
    [dns.promises, withPromise],
    [dns.promises.Resolver.prototype, withPromise],
  ]) {
    for (const question of QUESTIONS) {
      if (typeof holder[question] === 'function') holder[question] = change(question, holder[question])
    }
  }

  // Datagrams

  const { send, connect: connectDatagrams } = dgram.Socket.prototype

  dgram.Socket.prototype.send = function (message, ...rest) {
    const isPart = typeof rest[1] === 'number'
    const [port, address] = isPart ? rest.slice(2, 4) : rest.slice(0, 2)
    const host = typeof address === 'string' ? address : 'localhost'
    if (typeof port !== 'number' || mayConnect(host, port)) return send.call(this, message, ...rest)
    refuse(host, port)
    const error = failure('ECONNREFUSED', 'send', host, port)
    const callback = rest.at(-1)
    process.nextTick(() => (typeof callback === 'function' ? callback(error) : this.emit('error', error)))
  }

  dgram.Socket.prototype.connect = function (port, address, callback) {
    const host = typeof address === 'string' ? address : 'localhost'
    if (mayConnect(host, port)) return connectDatagrams.call(this, port, address, callback)
    refuse(host, port)
    const error = failure('ECONNREFUSED', 'connect', host, port)
    const answer = typeof address === 'function' ? address : callback
    process.nextTick(() => (typeof answer === 'function' ? answer(error) : this.emit('error', error)))
  }

  // Workers

  const { EMULATOR_EXEC, NODE_OPTIONS } = process.env
  const { Worker } = threads

  // One that is given an environment of its own would not know of us.
  threads.Worker = class extends Worker {
    constructor(file, options) {
      const env = options?.env
      const isOwn = typeof env === 'object' && env !== null && env !== process.env
      super(file, isOwn ? { ...options, env: { ...env, EMULATOR_EXEC, NODE_OPTIONS } } : options)
    }
  }

  require('node:module').syncBuiltinESMExports()
}

if (process.env.EMULATOR_EXEC) {
  try {
    install(JSON.parse(process.env.EMULATOR_EXEC))
  } catch (error) {
    require('node:fs').writeSync(2, `emulator exec: its hook does not work in this Node: ${error.stack}\n`)
    process.exit(FAILED)
  }
}
