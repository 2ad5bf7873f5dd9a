// A bot on the npm package `binance` as its documents show it: REST of two products, and their sockets.
const { MainClient, USDMClient, WebsocketClient } = require('binance')
const KEYS = { api_key: 'emulator-demo-key', api_secret: 'emulator-demo-secret' }
const told = {}
;(async () => {
  const spot = new MainClient(KEYS)
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 }
  told.order = (await spot.submitNewOrder({ ...order, newOrderRespType: 'FULL' })).status
  told.refusal = await spot
    .submitNewOrder({ ...order, type: 'LIMIT', timeInForce: 'GTC', quantity: 100, price: 50000 })
    .then(() => null, (error) => error.code)
  const contracts = new USDMClient(KEYS)
  told.contracts = (await contracts.submitNewOrder({ ...order, newOrderRespType: 'RESULT' })).status

  const sockets = new WebsocketClient(KEYS)
  const came = new Map()
  const all = new Promise((resolve) => {
    sockets.on('message', (message) => {
      const { e: kind } = message.data ?? message
      if (kind) came.set(kind, true)
      if (came.has('aggTrade') && came.has('markPriceUpdate')) resolve()
    })
  })
  sockets.on('exception', (error) => console.error(error))
  sockets.subscribe(['btcusdt@aggTrade'], 'main')
  sockets.subscribe(['btcusdt@markPrice'], 'usdm')
  await all
  told.came = [...came.keys()].sort()
  sockets.closeAll()
  console.log(JSON.stringify(told))
})()
