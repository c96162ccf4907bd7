import json, random, string, sys
import pytest
from tests.integration.api.conftest import *
from tests.integration.api.caller import *
from tests.conftest import redis_server

VALS=[None,True,False,0,-1,1,2**70,-2**70,1.5,1e300,-1e-300,"","x","1","-1","1e30","1e999999","NaN","Infinity","٣","1_000","\u0000","a\nb","💩","USDT","BTC/USDT","btc","BTC/USDT:USDT","x"*5000,[],{}, [[]],[None],[1,"a"],{"a":1},{"USDT":"1"},{"BTC/USDT":{"last":"1"}},{"BTC/USDT":None},{"BTC/USDT":{"bid":"1","ask":"2","bids":[["1","2"]],"asks":[["2",1]]}},"SPOT","USDM","COINM","ONEWAY","HEDGE","paper","live","RUN","HALT","REDUCE_ONLY","demo",["demo"],"true","reject",["reject"],["ok","timeout"],[{"symbol":"BTC/USDT","market":"SPOT","price_step":"1e-30","quantity_step":"1e30"}],"given"]
KEYS="group venue market mode position_mode credentials limits state enabled token account accounts symbol leverage dedup_window_seconds balance_reserve percent_is_notional on_opposite late_exits rate_limit_per_minute allowed_ips secret password permissions close_mode sar_same_side by_id_shape allow_tradingview_ip balances positions fees reset prices instruments place cancel find delay_ms advance_ms freeze_at_ms real x \u0000 💩".split()
QK="kind account dialect state parent caller_id limit cursor wait timeout_ms x".split()
QV=["","1","0","-1","500","x","ORDER","SIGNAL","demo","HALT","FILLED","true","false","9"*500,"%00","💩","%FF%FE","MTc1MA","MS4x","OTk5OTk5OTk5OTk5OTk5OS45OTk5OTk5OTk5OTk5OTk5","1e5","5.0","٣"]
PARTS=["demo","x","..","%2e%2e","%00","%0a","💩","%FF","a"*300,"1","9"*17,"h000000000000000","apisify","poloniex","hummingbot","three_commas","crypto_arsenal"," ","%20","a;b","a?b","-"]

def test_fuzz(demo, app, worker):
    rnd=random.Random(int(__import__("os").environ["SEED"]))
    rules=[(m,r.rule) for r in app.url_map.iter_rules() for m in r.methods-{"HEAD","OPTIONS"}]
    bad=[]
    import collections
    counts=collections.Counter()
    for i in range(6000):
        m,rule=rnd.choice(rules)
        if rule=="/api/events": continue
        path=rule
        while "<" in path:
            a=path.index("<");b=path.index(">")
            path=path[:a]+rnd.choice(PARTS)+path[b+1:]
        q="&".join(f"{rnd.choice(QK)}={rnd.choice(QV)}" for _ in range(rnd.choice([0,0,1,1,2,3])))
        if "settle" in path or "prices" in path or "clock" in path: q+="&timeout_ms=0" if "timeout" not in q else ""
        body=None
        k=rnd.random()
        if k<.7:
            body=json.dumps({rnd.choice(KEYS):rnd.choice(VALS) for _ in range(rnd.choice([0,1,1,2,3,5]))})
        elif k<.8: body=rnd.choice(["[]","{","\xff","NaN",'{"a":NaN}','{"a":1e9999999999}','"x"','{"a":'+'['*100+']'*100+'}','{"a":"\\ud800"}'])
        h=dict(demo.headers)
        if rnd.random()<.1: h["Content-Type"]=rnd.choice(["text/plain","application/x-www-form-urlencoded","multipart/form-data","multipart/form-data; boundary=x","application/json; charset=latin-1","\u00ff"])
        r=demo.client.open(path+("?"+q if q else ""),method=m,data=body,headers=h)
        counts[r.status_code]+=1
        if r.status_code>=500 and path!="/readyz": bad.append((m,path,q,body and body[:300],r.status_code,r.text[:300]))
        r.close()
        if i%500==0:
            demo.call("PUT","/paper/instruments",{"instruments":[{"symbol":"BTC/USDT","market":"SPOT","price_step":"0.01","quantity_step":"0.00001"}]})
    print(counts)
    assert not bad, bad[:10]
