"""What the exchange says of itself, and of the key that asks."""

from __future__ import annotations

from typing import TypedDict


class ServerTime(TypedDict):
    timeSecond: str
    timeNano: str


class Maintenance(TypedDict):
    id: str
    title: str
    state: str
    begin: str
    end: str
    href: str
    serviceTypes: list[int]
    product: list[int]
    uidSuffix: list[int]
    maintainType: str
    env: str


class SystemStatus(TypedDict):
    list: list[Maintenance]


class Permissions(TypedDict):
    """By group, what a key may do."""

    ContractTrade: list[str]
    Spot: list[str]
    Wallet: list[str]
    Options: list[str]
    Derivatives: list[str]
    CopyTrading: list[str]
    BlockTrade: list[str]
    Exchange: list[str]
    NFT: list[str]
    Affiliate: list[str]
    Earn: list[str]
    FiatP2P: list[str]
    FiatConvertBroker: list[str]
    FiatGlobalPay: list[str]
    FiatBitPay: list[str]
    BitCard: list[str]
    ByXPost: list[str]


class ApiKeyShown(TypedDict):
    id: str
    note: str
    apiKey: str
    readOnly: int
    secret: str
    permissions: Permissions
    ips: list[str]
    type: int
    deadlineDay: int
    expiredAt: str
    createdAt: str
    unified: int
    uta: int
    userID: int
    inviterID: int
    vipLevel: str
    mktMakerLevel: str
    affiliateID: int
    rsaPublicKey: str
    isMaster: bool
    parentUid: str
    kycLevel: str
    kycRegion: str
    userIDInt64: str
    inviterIDInt64: str
    affiliateIDInt64: str
