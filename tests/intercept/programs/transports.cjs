// What Node clients are made of, asking for the exchange at its real addresses. Writes what became of each
// check to the file that its first argument names.
const assert = require('node:assert')
const dgram = require('node:dgram')
const dns = require('node:dns')
const fs = require('node:fs')
const https = require('node:https')
const net = require('node:net')
const tls = require('node:tls')
const { promisify } = require('node:util')
const { Worker } = require('node:worker_threads')
const axios = require('axios')
const WebSocket = require('ws')

// The package wants Node 20; the one that is built in is what `fetch` uses.
const undici = Number(process.versions.node.split('.')[0]) < 20 ? null : require('undici')

const SPOT = 'https://api.binance.com/api/v3/time'
const CONTRACTS = 'https://fapi.binance.com/fapi/v1/time'
const STREAM = 'wss://stream.binance.com:9443/ws/btcusdt@bookTicker'
const ELSEWHERE = 'https://elsewhere.example/'

const isTime = (answer) => assert.deepStrictEqual(Object.keys(answer), ['serverTime'])

function get(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = https.get(url, options, (answer) => {
      let text = ''
      answer.on('data', (part) => (text += part))
      answer.on('end', () => resolve(JSON.parse(text)))
    })
    request.on('error', reject)
  })
}

function listen(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.on('error', reject)
    socket.on('message', (message) => {
      socket.close()
      resolve(JSON.parse(String(message)))
    })
  })
}

function secured(...given) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(...given, () => {
      resolve({ isTrusted: socket.authorized, name: socket.servername })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

const refused = (asked, code = 'ECONNREFUSED') =>
  assert.rejects(asked, (error) => assert.strictEqual((error.cause ?? error).code, code) ?? true)

const CHECKS = {
  https: async () => isTime(await get(SPOT)),
  https_with_an_agent: async () => {
    const agent = new https.Agent({ keepAlive: true })
    isTime(await get(SPOT, { agent }))
    agent.destroy()
  },
  https_with_cas_of_its_own: async () => isTime(await get(SPOT, { ca: tls.rootCertificates.slice(0, 3) })),
  fetch: async () => isTime(await (await fetch(CONTRACTS)).json()),
  undici: async () => undici === null || isTime(await (await undici.request(CONTRACTS)).body.json()),
  undici_with_proxies: async () => {
    if (undici === null) return
    const dispatcher = new undici.EnvHttpProxyAgent()
    isTime(await (await undici.request(CONTRACTS, { dispatcher })).body.json())
  },
  axios: async () => isTime((await axios.get(SPOT)).data),
  axios_without_proxies: async () => isTime((await axios.get(SPOT, { proxy: false })).data),
  ws: async () => assert.strictEqual((await listen(STREAM)).s, 'BTCUSDT'),
  tls_to_a_bare_name: async () => {
    const found = await secured(443, 'api.binance.com')
    assert.deepStrictEqual(found, { isTrusted: true, name: 'api.binance.com' })
  },
  tls_over_a_socket: async () => {
    const socket = net.connect(443, 'api.binance.com')
    assert.ok((await secured({ socket, servername: 'api.binance.com' })).isTrusted)
  },
  names: async () => {
    const { address } = await dns.promises.lookup('api.binance.com')
    assert.strictEqual((await promisify(dns.lookup)('api.binance.com')).address, address)
    assert.deepStrictEqual(await dns.promises.resolve4('api.binance.com'), [address])
    // The same name to who looks it up (RFC 3490, 3.1).
    assert.strictEqual((await dns.promises.lookup('\uff41pi.\uff42inance\u3002com')).address, address)
    assert.deepStrictEqual(await promisify(dns.resolve)('api.binance.com'), [address])
    assert.ok((await secured({ host: address, port: 443, servername: 'api.binance.com' })).isTrusted)
  },
  a_worker: async () => {
    const code = `
      const { parentPort } = require('node:worker_threads')
      const outcome = (url) => fetch(url).then((answer) => answer.status, (error) => error.cause.code)
      Promise.all(['${SPOT}', '${ELSEWHERE}'].map(outcome)).then((found) => parentPort.postMessage(found))`
    // The last one knows nothing of this process, and trusts nobody but who is built in and the emulator.
    for (const options of [{}, { execArgv: [] }, { env: { ...process.env, OWN: '1' } }, { env: {}, execArgv: [] }]) {
      const found = await new Promise((resolve, reject) => {
        new Worker(code, { eval: true, ...options }).on('message', resolve).on('error', reject)
      })
      assert.deepStrictEqual(found, [200, 'ECONNREFUSED'])
    }
  },
  loopback_is_let_through: async () => {
    for (const name of ['127.0.0.1', 'localhost']) {
      const answer = await fetch(process.env.EMULATOR_URL.replace('127.0.0.1', name) + '/api/v3/time')
      assert.strictEqual(answer.status, 200)
    }
  },
  others_are_refused: async () => {
    await refused(get(ELSEWHERE))
    await refused(fetch(ELSEWHERE))
    await refused(listen(ELSEWHERE.replace('https', 'wss')))
    await refused(axios.get(ELSEWHERE, { proxy: false }))
    await refused(secured(443, '192.0.2.1'))
    await refused(secured(443, '2001:db8::1'))
  },
  others_are_not_looked_up: async () => {
    await refused(dns.promises.lookup('elsewhere.example'), 'ENOTFOUND')
    await refused(promisify(dns.resolve)('elsewhere.example'), 'ENOTFOUND')
    await refused(new dns.promises.Resolver().resolve4('elsewhere.example'), 'ENOTFOUND')
    await refused(promisify(dns.reverse)('192.0.2.1'), 'ENOTFOUND')
    await refused(new dns.promises.Resolver().reverse('2001:db8::1'), 'ENOTFOUND')
    await refused(promisify(dns.lookupService)('192.0.2.1', 443), 'ENOTFOUND')
    await refused(dns.promises.lookupService('192.0.2.1', 443), 'ENOTFOUND')
    const found = await import('node:dns')
    await refused(promisify(found.lookup)('elsewhere.example'), 'ENOTFOUND')
  },
  datagrams_are_refused: async () => {
    const socket = dgram.createSocket('udp4')
    await refused(promisify(socket.send.bind(socket))('x', 53, '192.0.2.1'))
    socket.close()
  },
}

async function main() {
  const failures = {}
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check()
      failures[name] = null
    } catch (error) {
      failures[name] = `${error.stack}${error.cause ? `\n${error.cause.stack}` : ''}`
    }
  }
  fs.writeFileSync(process.argv[2], JSON.stringify(failures))
}

main()
