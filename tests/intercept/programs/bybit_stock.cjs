// A bot on the npm package `bybit-api` as its documents show it: REST, sockets, and orders over a socket.
const { RestClientV5, WebsocketClient, WebsocketAPIClient } = require('bybit-api')
const KEYS = { key: 'emulator-demo-key', secret: 'emulator-demo-secret' }
const CONTRACT = { category: 'linear', symbol: 'BTCUSDT' }
const SILENT = { trace: () => {}, info: () => {}, error: console.error }
const told = {}
;(async () => {
  const client = new RestClientV5(KEYS)
  const market = { side: 'Buy', orderType: 'Market', qty: '0.01' }
  const placed = await client.submitOrder({
    category: 'spot',
    symbol: 'BTCUSDT',
    ...market,
    marketUnit: 'baseCoin',
  })
  const { orderId } = placed.result
  told.order = (await client.getHistoricOrders({ category: 'spot', orderId })).result.list[0].orderStatus
  await client.submitOrder({ ...CONTRACT, ...market })
  told.contracts = (await client.getPositionInfo(CONTRACT)).result.list[0].side
  const limit = { symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', price: '50000' }
  told.refusal = (await client.submitOrder({ ...limit, category: 'spot', qty: '40' })).retCode

  const sockets = new WebsocketClient(KEYS, SILENT)
  const came = new Map()
  let tell
  const all = new Promise((resolve) => (tell = resolve))
  sockets.on('update', (message) => {
    came.set(message.topic, message)
    if (came.size === 4) tell()
  })
  sockets.on('exception', (error) => console.error(error))
  sockets.subscribeV5(['orderbook.50.BTCUSDT'], 'linear')
  sockets.subscribeV5(['tickers.BTCUSDT'], 'spot')
  sockets.subscribeV5(['order', 'wallet'], 'linear')
  // The account's socket opens in its own time; an order before that is not told of.
  const stirring = setInterval(() => client.submitOrder({ ...CONTRACT, ...market }), 500)
  await all
  clearInterval(stirring)
  told.came = [...came.keys()].sort()
  sockets.closeAll(true)

  const orders = new WebsocketAPIClient({ ...KEYS, attachEventListeners: false }, SILENT)
  const sent = await orders.submitNewOrder({ ...limit, category: 'linear', qty: '0.01' })
  told.sent = sent.retMsg
  told.canceled = (await orders.cancelOrder({ ...CONTRACT, orderId: sent.data.orderId })).retMsg
  orders.getWSClient().closeAll(true)
  console.log(JSON.stringify(told))
  process.exit(0)
})()
