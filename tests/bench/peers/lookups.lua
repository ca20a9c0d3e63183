-- What wrk asks for: one of COUNT numbers by chance, as `fill.rs` makes them.
-- KIND is `point`, `check` (about a day that has an answer) or `page`, which is
-- a hundred entries from anywhere on.

function init(args)
    kind, count, seed = args[1], tonumber(args[2]), tonumber(args[3])
    math.randomseed(seed)
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    if kind == "page" then
        return wrk.format("GET", string.format("/feed/v1/corrections?limit=100&after=%d", math.random(0, count - 1)))
    end
    local number = 8613800000000 + (math.random(0, count - 1) * 61803399) % 100000000
    if kind == "point" then
        return wrk.format("GET", string.format("/feed/v1/corrections/%.0f", number))
    end
    local body = string.format('{"phoneNumber":"+%.0f","specifiedDate":"2025-01-0%d"}', number, math.random(1, 3))
    return wrk.format("POST", "/number-recycling/v0.2/check", nil, body)
end
