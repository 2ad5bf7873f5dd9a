"""What the endpoints of conversions answer."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class ConvertPair(TypedDict):
    fromAsset: str
    toAsset: str
    fromAssetMinAmount: str
    fromAssetMaxAmount: str
    toAssetMinAmount: str
    toAssetMaxAmount: str


class OfferedQuote(TypedDict):
    """quoteId: only where there is enough to convert."""

    quoteId: NotRequired[str]
    ratio: str
    inverseRatio: str
    validTimestamp: int
    toAmount: str
    fromAmount: str


class AcceptedQuote(TypedDict):
    orderId: str
    createTime: int
    orderStatus: Literal["PROCESS", "ACCEPT_SUCCESS", "SUCCESS", "FAIL"]


class ConvertOrder(TypedDict):
    orderId: int
    orderStatus: Literal["PROCESS", "ACCEPT_SUCCESS", "SUCCESS", "FAIL"]
    fromAsset: str
    fromAmount: str
    toAsset: str
    toAmount: str
    ratio: str
    inverseRatio: str
    createTime: int
