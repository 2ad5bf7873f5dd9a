// The npm package `bybit-api` pointed at the emulator by its own options: one address for REST, and one,
// `wsUrl`, for all of its sockets, whatever they are for.
const assert = require('node:assert/strict')
const fs = require('node:fs')
const { RestClientV5, WebsocketClient, WebsocketAPIClient } = require('bybit-api')

const STAGE = JSON.parse(process.env.EMULATOR_STAGE)
const URL_OF_ALL = STAGE.ready.url
const WS_URL = `${URL_OF_ALL.replace('http', 'ws')}/v5/any`
const CONTRACT = { category: 'linear', symbol: 'BTCUSDT' }
const PAIR = { category: 'spot', symbol: 'BTCUSDT' }
const LIMIT = { side: 'Buy', orderType: 'Limit', qty: '0.01', price: '99000' }
const SILENT = { trace: () => {}, info: () => {}, error: () => {} }
const WITHIN_MS = 10_000

async function control(method, path, body) {
  const reply = await fetch(`${URL_OF_ALL}/_emulator/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  })
  assert(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`)
  return reply.json()
}

let accounts = 0

async function openAccount(funds = { USDT: '100000' }) {
  const name = `bybit-api-${++accounts}`
  await control('POST', 'accounts', { name })
  for (const [asset, amount] of Object.entries(funds)) {
    await control('POST', `accounts/${name}/deposits`, { wallet: 'unified', asset, amount })
  }
  const made = await control('POST', `accounts/${name}/keys`, {})
  return { key: made.key, secret: made.secret }
}

async function holdMarkets() {
  const book = { bids: [['99990', '10'], ['99980', '10']], asks: [['100010', '10'], ['100020', '10']] }
  await control('PUT', 'markets/bybit/linear:BTCUSDT/price', { price: '100000' })
  await control('PUT', 'markets/bybit/linear:BTCUSDT/book', book)
  await control('PUT', 'markets/bybit/spot:BTCUSDT/book', book)
}

async function begin(options = {}) {
  await holdMarkets()
  const keys = await openAccount()
  return { keys, client: new RestClientV5({ ...keys, baseUrl: URL_OF_ALL, ...options }) }
}

async function done(answer) {
  const { retCode, retMsg, result } = await answer
  assert.equal(retCode, 0, retMsg)
  return result
}

function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${WITHIN_MS} ms: ${what}`)), WITHIN_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// What a socket is told, by topic; `until` gives the first message of a topic that is wanted.
class Heard {
  constructor(keys, makes = WebsocketClient) {
    this.sockets = new makes({ ...keys, wsUrl: WS_URL }, SILENT)
    this.messages = []
    this.sockets.on('exception', (error) => this.messages.push({ topic: 'exception', error }))
    this.sockets.on('update', (message) => this.messages.push(message))
  }

  async until(topic, isWanted = () => true, stir = async () => {}) {
    const search = async () => {
      for (;;) {
        const found = this.messages.find((message) => message.topic === topic && isWanted(message))
        if (found) return found
        await stir()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return within(search(), topic)
  }

  close() {
    this.sockets.closeAll(true)
  }
}

const CHECKS = {
  market: async () => {
    const { client } = await begin()
    const [contract] = (await done(client.getInstrumentsInfo(CONTRACT))).list
    assert.equal(contract.settleCoin, 'USDT')
    const book = await done(client.getOrderbook({ ...CONTRACT, limit: 2 }))
    assert.deepEqual(book.b.map((level) => level.map(Number)), [[99990, 10], [99980, 10]])
    const [ticker] = (await done(client.getTickers(PAIR))).list
    assert.equal(Number(ticker.lastPrice), 100000)
    const candles = (await done(client.getKline({ ...CONTRACT, interval: '60', limit: 3 }))).list
    assert.equal(candles.length, 3)
    assert((await client.fetchServerTime()) > 1_700_000_000)
  },

  orders: async () => {
    const { client } = await begin()
    for (const market of [PAIR, CONTRACT]) {
      const { orderId } = await done(client.submitOrder({ ...market, ...LIMIT }))
      await done(client.amendOrder({ ...market, orderId, qty: '0.02' }))
      const [shown] = (await done(client.getActiveOrders(market))).list
      assert.deepEqual([shown.orderId, Number(shown.qty)], [orderId, 0.02])
      assert.equal('tpslMode' in shown, market === CONTRACT)
      await done(client.cancelOrder({ ...market, orderId }))
      const [gone] = (await done(client.getHistoricOrders({ ...market, orderId }))).list
      assert.equal(gone.orderStatus, 'Cancelled')
    }
    const batch = await client.batchSubmitOrders('linear', [
      { symbol: 'BTCUSDT', ...LIMIT },
      { symbol: 'BTCUSDT', ...LIMIT, qty: '5000' },
    ])
    const codes = batch.retExtInfo.list.map(({ code }) => code)
    assert.equal(codes[0], 0)
    assert.notEqual(codes[1], 0)
    assert.equal((await done(client.cancelAllOrders(CONTRACT))).list.length, 1)
  },

  position: async () => {
    const { client } = await begin()
    await done(client.setLeverage({ ...CONTRACT, buyLeverage: '20', sellLeverage: '20' }))
    await done(client.submitOrder({ ...CONTRACT, side: 'Buy', orderType: 'Market', qty: '0.1' }))
    const [held] = (await done(client.getPositionInfo(CONTRACT))).list
    assert.deepEqual([held.side, held.size, held.avgPrice, held.leverage], ['Buy', '0.1', '100010', '20'])
    const [wallet] = (await done(client.getWalletBalance({ accountType: 'UNIFIED' }))).list
    // 100000 less 10001 * 0.00055
    assert.equal(wallet.coin[0].walletBalance, '99994.49945')
    const stops = { tpslMode: 'Full', positionIdx: 0, takeProfit: '105000', stopLoss: '98000' }
    await done(client.setTradingStop({ ...CONTRACT, ...stops }))
    await done(client.submitOrder({ ...CONTRACT, side: 'Sell', orderType: 'Market', qty: '0.1' }))
    const [closed] = (await done(client.getClosedPnL({ category: 'linear' }))).list
    assert.equal(Number(closed.closedSize), 0.1)
    assert.equal((await done(client.getExecutionList(CONTRACT))).list.length, 2)
  },

  refusals: async () => {
    const { client, keys } = await begin()
    const much = await client.submitOrder({ ...CONTRACT, ...LIMIT, qty: '1000' })
    assert.deepEqual([much.retCode, much.retMsg], [110007, 'ab not enough for new order'])
    assert.equal((await client.cancelOrder({ ...PAIR, orderId: '1' })).retCode, 170213)
    const wrong = new RestClientV5({ ...keys, secret: 'wrong', baseUrl: URL_OF_ALL })
    assert.equal((await wrong.getAccountInfo()).retCode, 10004)
  },

  limits: async () => {
    // With `parseAPIRateLimits` it shows what the headers say.
    const { client } = await begin({ parseAPIRateLimits: true })
    const { rateLimitApi } = await client.submitOrder({ ...CONTRACT, ...LIMIT })
    assert.equal(rateLimitApi.maxRequests, 10)
    assert(rateLimitApi.remainingRequests < 10)
  },

  sockets: async () => {
    const { client, keys } = await begin()
    const heard = new Heard(keys)
    try {
      heard.sockets.subscribeV5('orderbook.50.BTCUSDT', 'linear')
      heard.sockets.subscribeV5(['tickers.BTCUSDT', 'publicTrade.BTCUSDT'], 'spot')
      heard.sockets.subscribeV5(['order', 'execution', 'position', 'wallet'], 'linear')
      const book = await heard.until('orderbook.50.BTCUSDT')
      assert.equal(book.type, 'snapshot')
      await heard.until('tickers.BTCUSDT')
      const trade = { ...CONTRACT, side: 'Buy', orderType: 'Market', qty: '0.001' }
      const order = await heard.until('order', undefined, () => done(client.submitOrder(trade)))
      assert.equal(order.data[0].category, 'linear')
      for (const topic of ['execution', 'position', 'wallet']) {
        const { data } = await heard.until(topic)
        assert(data.length > 0)
      }
      assert('entryPrice' in (await heard.until('position')).data[0])
      assert.deepEqual(heard.messages.filter(({ topic }) => topic === 'exception'), [])
    } finally {
      heard.close()
    }
  },

  ordersOverTheSocket: async () => {
    const { client, keys } = await begin()
    const orders = new WebsocketAPIClient({ ...keys, wsUrl: WS_URL, attachEventListeners: false }, SILENT)
    try {
      const sent = await within(orders.submitNewOrder({ ...CONTRACT, ...LIMIT }), 'create')
      assert.equal(sent.retCode, 0)
      const { orderId } = sent.data
      await within(orders.amendOrder({ ...CONTRACT, orderId, qty: '0.03' }), 'amend')
      const [shown] = (await done(client.getActiveOrders(CONTRACT))).list
      assert.deepEqual([shown.orderId, shown.qty], [orderId, '0.030'])
      await within(orders.cancelOrder({ ...CONTRACT, orderId }), 'cancel')
      const refused = await within(
        orders.cancelOrder({ ...CONTRACT, orderId }).then(
          () => null,
          (error) => error.retCode,
        ),
        'second cancel',
      )
      assert.equal(refused, 110001)
      const many = await within(orders.batchSubmitOrders('linear', [{ symbol: 'BTCUSDT', ...LIMIT }]), 'batch')
      assert.equal(many.retExtInfo.list[0].code, 0)
    } finally {
      orders.getWSClient().closeAll(true)
    }
  },
}

;(async () => {
  const failures = {}
  for (const [name, check] of Object.entries(CHECKS)) {
    failures[name] = await check().then(
      () => null,
      (error) => error.stack ?? JSON.stringify(error),
    )
  }
  fs.writeFileSync(STAGE.report, JSON.stringify({ failures, told: {} }))
  process.exit(0)
})()
