// A bot on the npm package `ccxt` as its documents show it: REST, a refusal, and a socket of the market.
const ccxt = require('ccxt')
const KEYS = { apiKey: 'emulator-demo-key', secret: 'emulator-demo-secret' }
const told = {}
;(async () => {
  const spot = new ccxt.binance(KEYS)
  told.order = (await spot.createOrder('BTC/USDT', 'market', 'buy', 0.01)).status
  const contracts = new ccxt.binanceusdm(KEYS)
  await contracts.setLeverage(1, 'ETH/USDT:USDT')
  told.refusal = await contracts.createOrder('ETH/USDT:USDT', 'limit', 'buy', 1000, 3000).then(
    () => null,
    (error) => error.constructor.name,
  )
  const live = new ccxt.pro.binance(KEYS)
  told.book = (await live.watchOrderBook('BTC/USDT', 5)).bids.length
  await live.close()
  console.log(JSON.stringify(told))
})()
