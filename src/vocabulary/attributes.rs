//! The table of attributes. A row says all there is to say about a word; nothing else in the code repeats it.

use std::sync::LazyLock;

use super::{Attribute, Cascade, Places};
use crate::ids::IdMap;

const C: Places = Places::CALL;
const O: Places = Places::OPERATION;
const S: Places = Places::SERVICE;
const D: Places = Places::STORE;
const K: Places = Places::CACHE;
const Q: Places = Places::QUEUE;
const X: Places = Places::EXTERNAL;
const N: Places = Places::NODE;
const G: Places = Places::BOX;
const H: Places = Places::CALL.or(Places::OPERATION).or(Places::NODE).or(Places::BOX);
const ANY: Places = H;
const SLO: Places = Places::SLO;
const IDEMPOTENT: Places = Places::IDEMPOTENT;
const BREAKER: Places = Places::BREAKER;
const REPLICATION: Places = Places::REPLICATION;
const QUORUM: Places = Places::QUORUM;
const LINK: Places = Places::LINK;
const STEPS: Places = Places::STEPS;
const PLAIN: Places = Places::NONE;
const TOPOLOGY: Places = Places::TOPOLOGY;

/// Rows: key, word, form, `*` for a list, places, cascade, what `none` says, block, documentation.
macro_rules! attributes {
    ($($section:literal { $($key:ident $name:literal $form:literal $list:tt, $on:expr, $cascade:ident, $none:literal, $block:expr, $documentation:literal;)* })*) => {
        /// Every attribute of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Key { $($(#[doc = $documentation] $key,)*)* }

        /// The table, one row an attribute, in the order of the reference.
        pub const ATTRIBUTES: &[Attribute] = &[$($(Attribute {
            key: Key::$key,
            name: $name,
            section: $section,
            form: $form,
            list: attributes!(@list $list),
            on: $on,
            cascade: Cascade::$cascade,
            none: $none,
            block: $block,
            documentation: $documentation,
        },)*)*];
    };
    (@list *) => { true };
    (@list .) => { false };
}

attributes! {
    "Time" {
        Timeout "timeout" "D" ., C, Call, "it waits for ever", PLAIN, "The longest wait for one attempt, whole response.";
        Deadline "deadline" "D | inherited | D inherited" ., C.or(O), Call, "nothing bounds the whole", PLAIN, "On a call, the longest wait for all attempts, or what the caller has left; on an operation, it answers or gives up by then, and `inherited` honours the smaller of what arrives.";
        ConnectTimeout "connect-timeout" "D" ., C, Call, "connecting waits for ever", PLAIN, "The longest wait for a connection; no bound on the answer.";
        IdleTimeout "idle-timeout" "D" ., C, Call, "silence is never noticed", PLAIN, "The longest silence on an open connection; no bound on the whole answer.";
        PoolWait "pool-wait" "D" ., C, Call, "it waits for a connection for ever", PLAIN, "The longest wait for a free connection of the pool, before the attempt starts.";
        FalseTimeouts "false-timeouts" "P" ., C, Call, "no healthy call may be given up", PLAIN, "The share of healthy calls that `timeout` may give up, as accepted.";
        Stream "stream" "" ., C, Call, "an answer is expected to end", PLAIN, "The call stays open; `idle-timeout` bounds it.";
        Latency "latency" "QUANTILE D | max D" *, O.or(D).or(K).or(X).or(SLO), Down, "", PLAIN, "Time of its own work, without the calls that the diagram shows; in an `slo`, what is promised.";
        Observed "observed" "QUANTILE D | max D" *, O.or(C), Own, "", PLAIN, "Measured time, calls included.";
        Cancels "cancels" "" ., O, Down, "it works on when its caller has gone", PLAIN, "Stops working when the caller has gone.";
        Detached "detached" "" ., O, Down, "its work belongs to the call", PLAIN, "Work is meant to outlive the call: accepted now, answered later.";
        IdleLimit "idle-limit" "D" ., N, Down, "it never closes idle connections", PLAIN, "Closes what has been idle for so long.";
        Slo "slo" "" ., O, Own, "nothing is promised", SLO, "What is promised to callers outside.";
        Staleness "staleness" "D" ., SLO, Own, "", PLAIN, "How old an answer may be.";
    }
    "Repeating" {
        Retries "retries" "N | unlimited" ., C, Call, "it is tried once", PLAIN, "Extra tries after the first.";
        Attempts "attempts" "N | unlimited" ., C, Call, "", PLAIN, "All tries, the first included.";
        Backoff "backoff" "fixed D [jitter (none|full|equal|decorrelated)] | exponential D..D [jitter (none|full|equal|decorrelated)]" ., C.or(Q), Call, "the next try follows at once", PLAIN, "The wait between tries; exponential doubles from the first to the second value. On a queue, the wait before a message that failed is handed out again.";
        RetryOn "retry-on" "connect|refused|reset|timeout|throttled|unavailable|cancelled|conflict|error|any" *, C, Call, "nothing is tried again", PLAIN, "The failures that are tried again; `connect`, `refused` and `throttled` mean that nothing was done.";
        RetryBudget "retry-budget" "P [floor R] [per (request|success)]" ., C, Call, "nothing limits the load that retries add", PLAIN, "Extra load that retries may add.";
        Hedge "hedge" "after D [max N]" ., C, Call, "one copy at a time", PLAIN, "A second copy is sent before the first has failed; `max` counts all copies, 2 if unstated.";
        Via "via" "CLIENT" *, C.or(Q), Call, "no client or mesh that has defaults", PLAIN, "The client library, mesh or broker whose dated defaults fill in what is unstated.";
    }
    "Idempotency" {
        Readonly "readonly" "" ., O, Down, "its own work has effects", PLAIN, "Its own work has no effect.";
        Method "method" "GET|HEAD|OPTIONS|TRACE|PUT|DELETE|POST|PATCH" *, O, Down, "", PLAIN, "The HTTP method under which it is offered.";
        Idempotent "idempotent" "| by-key" ., O.or(C), Down, "done twice, it changes something twice", IDEMPOTENT, "Own work done twice changes nothing more; with `by-key` a repeat of the key stops here, calls below included; on a call into a store, cache or queue, this write is an upsert.";
        Window "window" "D | unlimited" ., IDEMPOTENT, Own, "", PLAIN, "How long a key is remembered.";
        RecordedIn "recorded-in" "NODE" ., IDEMPOTENT, Own, "", PLAIN, "The store that remembers the keys.";
        Atomic "atomic" "" ., IDEMPOTENT, Own, "key and effect commit apart", PLAIN, "The key commits together with the effect.";
        KeySent "key" "per-attempt | per-request | forwarded | derived" ., C, Call, "no key is sent", PLAIN, "The idempotency key that the caller sends; `derived` follows from what is asked for, so that whoever asks again sends the same.";
        ReconciledBy "reconciled-by" "OPERATION" ., C, Call, "nobody finds out what became of it", PLAIN, "The operation that finds out, and settles, what became of calls without an answer.";
    }
    "Isolation" {
        Breaker "breaker" "" ., C, Call, "no circuit breaker", BREAKER, "A circuit breaker.";
        Errors "errors" "P over D" ., BREAKER, Own, "", PLAIN, "The share of failures over a time that opens it.";
        Reset "reset" "D" ., BREAKER, Own, "", PLAIN, "How long it stays open before it probes.";
        Scope "scope" "call | host | node | shard" ., BREAKER, Own, "", PLAIN, "What one breaker covers.";
        Bulkhead "bulkhead" "N" ., C, Call, "nothing limits its concurrent calls", PLAIN, "Concurrent calls allowed on this edge.";
        Fallback "fallback" "| TEXT" ., C, Call, "no answer without the callee", STEPS, "An answer without the callee, so the call is soft; one with calls costs their time.";
        Optional "optional" "" ., C, Call, "it is needed", PLAIN, "Meant to be dispensable; believed only with `fallback`.";
        Concurrency "concurrency" "N | unlimited" ., S.or(O), Amount, "", PLAIN, "Workers of all instances together, shared by the operations that state none of their own.";
        Connections "connections" "N | unlimited" ., N, Down, "", PLAIN, "Connections that the server accepts.";
        PoolSize "pool-size" "N" ., C, Call, "nothing limits its connections", PLAIN, "Connections that each instance of the caller opens to the callee, at most.";
        Shards "shards" "N" ., N, Down, "one part serves all", PLAIN, "Parts that each serve a share of the keys or customers: shards, partitions, cells.";
        StartupWindow "startup-window" "D" ., S, Down, "", PLAIN, "The time in which all instances may start together.";
        Capacity "capacity" "R" ., N.or(O), Amount, "", PLAIN, "The load it can take.";
        RateLimit "rate-limit" "R" ., N.or(O), Amount, "it refuses nothing for its rate", PLAIN, "It refuses what comes above.";
        Shedding "shedding" "" ., N.or(O), Down, "it takes what comes", PLAIN, "It refuses work when overloaded.";
        OnFailure "on-failure" "open | closed" ., O.or(S).or(IDEMPOTENT), Down, "", PLAIN, "Its answer when its own lookup fails.";
    }
    "Consistency" {
        Model "model" "strict-serializable|serializable|repeatable-read|snapshot|cursor-stability|monotonic-atomic-view|read-committed|read-uncommitted|linearizable|sequential|causal|pram|read-your-writes|monotonic-reads|monotonic-writes|writes-follow-reads|eventual" ., D.or(K), Down, "", PLAIN, "The consistency model that it gives.";
        Needs "needs" "strict-serializable|serializable|repeatable-read|snapshot|cursor-stability|monotonic-atomic-view|read-committed|read-uncommitted|linearizable|sequential|causal|pram|read-your-writes|monotonic-reads|monotonic-writes|writes-follow-reads|eventual | staleness D" ., C.or(O), Down, "nothing is needed of what is read", PLAIN, "What the reader needs; a partial order, the incomparable is refused.";
        Replication "replication" "sync | async" ., D, Down, "one copy", REPLICATION, "When a write reaches the other copies.";
        Lag "lag" "D" ., REPLICATION, Own, "", PLAIN, "How far copies are behind, usually.";
        Worst "worst" "D" ., REPLICATION, Own, "", PLAIN, "How far copies are behind at the worst.";
        Quorum "quorum" "" ., D, Down, "no quorum", QUORUM, "Copies, and how many of them answer a read and a write.";
        QuorumN "n" "N" ., QUORUM, Own, "", PLAIN, "Copies.";
        QuorumR "r" "N" ., QUORUM, Own, "", PLAIN, "Copies that answer a read.";
        QuorumW "w" "N" ., QUORUM, Own, "", PLAIN, "Copies that acknowledge a write.";
        Sloppy "sloppy" "" ., QUORUM, Own, "only the copies that hold the data count", PLAIN, "Others may answer in the place of copies that cannot be reached, and hand over later.";
        Commit "commit" "flushed | relaxed" ., D, Down, "", PLAIN, "Whether a write is on disk when it is acknowledged.";
        Fenced "fenced" "" ., D, Down, "a deposed leader can still write", PLAIN, "A deposed leader is refused.";
        Rpo "rpo" "D" ., D, Down, "", PLAIN, "Writes that may be lost at failover, as time.";
        Rto "rto" "D" ., D, Down, "", PLAIN, "Outage accepted at failover.";
        ReadFrom "read-from" "leader | replica | quorum" ., C.or(D), Down, "", PLAIN, "Where reads go.";
        SessionToken "session-token" "" ., C, Call, "a copy that is behind answers all the same", PLAIN, "The reader passes on what it has seen, and a copy that has not got so far does not answer.";
        OnPartition "on-partition" "available | consistent" ., D.or(O), Down, "", PLAIN, "The choice under a network partition.";
        ConflictPolicy "conflict-policy" "lww | cas | crdt | single-writer" ., D.or(K), Down, "conflicting writes are not resolved", PLAIN, "How concurrent writes are resolved.";
        ClockError "clock-error" "D" ., D, Down, "its order of writes hangs on no clock of a machine: logical or hybrid ones", PLAIN, "How far the clocks of two writers may differ.";
        HotKey "hot-key" "R" ., K, Amount, "", PLAIN, "Reads of its most wanted entry, at the busiest time.";
        Of "of" "NODE" ., K, Down, "", PLAIN, "The store it caches; a call to that store after its cache is the miss path.";
        Ttl "ttl" "D | unlimited" ., K, Down, "", PLAIN, "How long an entry is served.";
        NegativeTtl "negative-ttl" "D | unlimited" ., K, Down, "that there is nothing is not remembered", PLAIN, "How long it is served that there is nothing.";
        HitRatio "hit-ratio" "P" ., K, Down, "", PLAIN, "Share of reads that it answers.";
        StampedeGuard "stampede-guard" "coalesce | lease | early-refresh" ., K, Down, "every miss reads the store", PLAIN, "What keeps concurrent misses of one entry from the store.";
        Outbox "outbox" "" ., C, Call, "write and message commit apart", PLAIN, "The message commits with the write and is sent afterwards.";
        Saga "saga" "NAME" ., C, Call, "no saga", PLAIN, "The saga of which this call is a step.";
        CompensatedBy "compensated-by" "OPERATION" ., C, Call, "it cannot be undone", PLAIN, "The operation that undoes it.";
        Transaction "transaction" "NAME" ., C, Call, "no transaction", PLAIN, "The transaction in which this call takes part.";
    }
    "Queues" {
        Delivery "delivery" "at-most-once | at-least-once | exactly-once" ., Q, Down, "", PLAIN, "How often a consumer gets a message.";
        Ordered "ordered" "by NAME" ., Q.or(C), Down, "no order", PLAIN, "The key within which messages keep their order; on a call out of a queue, the order that its consumer relies on.";
        Partitions "partitions" "N" ., Q, Down, "", PLAIN, "Parts that are consumed independently.";
        Visibility "visibility" "D" ., Q, Down, "a message is never handed out again", PLAIN, "The time to finish before a message is handed out again.";
        MaxReceives "max-receives" "N | unlimited" ., Q, Down, "", PLAIN, "How often a message is handed out before it is given up.";
        DeadLetter "dead-letter" "QUEUE" ., Q, Down, "what is given up is lost", PLAIN, "The queue for messages that were given up.";
        Replay "replay" "D" ., Q, Down, "what was given up is never put back", PLAIN, "How long after they were given up the messages of a dead-letter queue may be put back.";
        Retention "retention" "D | unlimited" ., Q, Down, "", PLAIN, "How long a message is kept.";
        MaxLength "max-length" "N | SIZE | unlimited" ., Q, Down, "", PLAIN, "How much it holds.";
        RetentionFrom "retention-from" "publish | arrival" ., Q, Down, "", PLAIN, "Whether the age of a message that is moved here counts from when it was first published, or from when it arrived here.";
        Overflow "overflow" "reject | drop-oldest | block" ., Q, Down, "", PLAIN, "What happens to a message when it is full.";
        Batch "batch" "N [sequential|parallel]" ., C, Call, "one message at a time", PLAIN, "Messages that a consumer takes at once, and whether it handles them one after another.";
        Consumers "consumers" "N" ., C, Call, "", PLAIN, "Consumers that share the messages of this subscription.";
        Heartbeat "heartbeat" "D" ., C, Call, "`visibility` is not extended", PLAIN, "Extends `visibility` while working.";
    }
    "Traffic" {
        Load "load" "R" ., O.or(C), Amount, "", PLAIN, "Arrivals from outside: all of an operation, or those of this client.";
        Peak "peak" "R" ., O.or(C), Amount, "", PLAIN, "Arrivals from outside at the busiest time.";
        Every "every" "D [overlap none]" ., C, Call, "no schedule", PLAIN, "A schedule; without `overlap none` the next run may start before the last has ended.";
        Times "times" "N | N..N | unlimited" ., C, Call, "", PLAIN, "Calls for one execution, one after another, or at once inside `parallel`.";
        Chance "chance" "P" ., C, Call, "", PLAIN, "Share of executions that make the call.";
        Request "request" "SIZE" ., C.or(O), Down, "", PLAIN, "Bytes of a request.";
        Response "response" "SIZE | unlimited" ., C.or(O), Down, "", PLAIN, "Bytes of a response.";
        ReceiveWindow "receive-window" "SIZE" ., C, Call, "", PLAIN, "Bytes on their way over one connection before the receiver has to confirm some.";
        Page "page" "N" ., C.or(O), Down, "all of it in one response", PLAIN, "Items in one response.";
    }
    "Security" {
        Encryption "encryption" "tls | mtls" ., H, Insisted, "plain text", PLAIN, "How the hop is encrypted.";
        Authn "authn" "NAME" ., H, Insisted, "nobody checks who the peer is", PLAIN, "How the peer is authenticated.";
        Authz "authz" "NAME" ., H, Insisted, "nobody checks what the peer may do", PLAIN, "How the peer is authorised.";
        Identity "identity" "user | service" ., C, Call, "no principal travels along", PLAIN, "Whose principal travels along.";
        Local "local" "" ., C, Call, "it crosses a network", PLAIN, "Same process or host, no network.";
        Trust "trust" "NAME" ., N.or(G), Down, "", PLAIN, "The trust zone it is in.";
        Public "public" "" ., N.or(G), Down, "it cannot be reached from outside", PLAIN, "It can be reached from outside.";
        Data "data" "NAME" *, N.or(G).or(C), Down, "it holds nothing worth protecting", PLAIN, "Kinds of data that it holds; on a call, that it carries.";
        ClearedFor "cleared-for" "NAME" *, N.or(G), Down, "it may hold nothing worth protecting", PLAIN, "Kinds of data that it may hold.";
    }
    "Topology" {
        Replicas "replicas" "N" ., N.or(G), Down, "", PLAIN, "Instances.";
        Autoscale "autoscale" "N..N" ., N.or(G), Down, "the number of instances is fixed", PLAIN, "The range of instances.";
        Region "region" "NAME" ., N.or(G), Down, "", PLAIN, "Where it runs.";
        Zones "zones" "NAME" *, N.or(G), Down, "", PLAIN, "The zones it runs in.";
        Availability "availability" "P" ., N.or(SLO), Down, "", PLAIN, "Of the whole node as callers see it, all replicas together, without what it calls; in an `slo`, what is promised.";
        IndependentOf "independent-of" "NODE" *, N, Down, "its failures go with those of others", PLAIN, "Nodes whose failures are not correlated with its own.";
        Address "address" "static TEXT | anycast TEXT | dns [ttl D] | discovery" ., C, Call, "", PLAIN, "How the callee is found.";
        ConnectionMaxAge "connection-max-age" "D" ., C, Call, "connections are kept for ever", PLAIN, "How long a connection is kept.";
        Balancing "balancing" "l4 | l7 | client" ., C, Call, "one address, no balancing", PLAIN, "What spreads the calls over the instances.";
        Sticky "sticky" "" ., C, Call, "any instance answers", PLAIN, "A client keeps its instance.";
        Through "through" "NODE" *, C, Call, "nothing between caller and callee", PLAIN, "Nodes that the call passes without calling them: balancer, NAT, transit link.";
    }
    "Administration, compatibility, cost" {
        Owner "owner" "NAME" ., N.or(G), Down, "nobody owns it", PLAIN, "The team that answers for it.";
        Sla "sla" "P" ., N.or(G), Down, "nothing is promised by contract", PLAIN, "Availability promised by contract.";
        Quota "quota" "R | N [NAME]" ., N.or(G), Amount, "nothing is rationed", PLAIN, "Calls per time, or a number of things: threads, addresses, machines.";
        Provider "provider" "NAME" ., N.or(G), Down, "", PLAIN, "Whose infrastructure it runs on.";
        Cell "cell" "NAME" ., N.or(G), Down, "it serves all cells", PLAIN, "The cell it belongs to: a part of the system that serves its share of the customers and needs none of the other parts.";
        Contract "contract" "NAME" ., N.or(G), Down, "no contract", PLAIN, "The published description of what it offers.";
        Role "role" "telemetry|identity|discovery|config|secrets|deploy" ., N, Down, "", PLAIN, "What it is there for, where rules must know.";
        Rollout "rollout" "staged | at-once" ., N, Down, "", PLAIN, "How a change of it, or of what it holds, reaches all places.";
        Protocol "protocol" "NAME" ., H, Insisted, "", PLAIN, "The protocol spoken.";
        Format "format" "NAME" ., H, Insisted, "", PLAIN, "The encoding of what is sent.";
        Version "version" "NAME" ., H, Insisted, "nothing is versioned", PLAIN, "The version of protocol or schema.";
        Compatibility "compatibility" "D | unlimited" ., N.or(G), Down, "it understands its own version only", PLAIN, "How long it still understands what others send in the versions before its own.";
        MaxSize "max-size" "SIZE" ., H, Insisted, "no limit", PLAIN, "The largest message.";
        CostBudget "cost-budget" "COST" ., C.or(Places::GROUP).or(TOPOLOGY), Amount, "no budget", PLAIN, "What its transport may cost.";
    }
    "Observability" {
        Trace "trace" "w3c | b3" ., H, Insisted, "trace context is not carried on", PLAIN, "The trace context carried over this hop.";
        Sampling "sampling" "P [head|tail|independent]" ., S.or(O).or(Q), Down, "no trace is kept", PLAIN, "Share of traces kept, and who decides.";
        Metrics "metrics" "" ., S.or(O).or(Q), Down, "no metrics", PLAIN, "It is measured.";
        Logs "logs" "" ., S.or(O).or(Q), Down, "no logs", PLAIN, "It writes logs.";
        Health "health" "shallow | deep [alerting|fail-open]" ., S.or(O).or(Q), Down, "no health check", PLAIN, "What its health check covers: a deep one fails with what is called; with `alerting` nothing but an alert hangs on it, with `fail-open` it counts for nothing when all instances fail it.";
        Alert "alert" "NAME" ., S.or(O).or(Q).or(C), Own, "nobody is told", PLAIN, "Somebody is told: on an operation with an objective it is the measurement, on a call its fallback is noticed.";
    }
    "Network" {
        Rtt "rtt" "D" ., LINK, Own, "", PLAIN, "Round-trip time of such a link.";
        Bandwidth "bandwidth" "BANDWIDTH" ., LINK.or(N), Own, "", PLAIN, "Bandwidth of such a link in each direction; of a node that calls pass `through`, for all that passes.";
        Price "price" "PRICE" ., LINK, Own, "nothing is charged", PLAIN, "Price of the bytes that pass it.";
        Loss "loss" "P" ., LINK, Own, "nothing is lost", PLAIN, "Share of packets lost.";
    }
    "Meta" {
        Allow "allow" "RULE TEXT [until DATE]" ., ANY, Own, "", PLAIN, "Silences a rule here and below, with a reason; past its day or matching nothing it is itself a finding.";
        Use "use" "POLICY" *, C, Call, "no policy", PLAIN, "The policies that this call follows.";
        Phase "phase" "startup | recovery | deploy | observe | request" ., C, Call, "", PLAIN, "When the call is made; `request` if unstated.";
        Tags "tags" "NAME" *, ANY, Own, "", PLAIN, "Words to select by.";
        Link "link" "TEXT" ., ANY, Own, "", PLAIN, "Where to read more.";
    }
}

/// Each by its word.
pub(super) static BY_NAME: LazyLock<IdMap<&str, Key>> =
    LazyLock::new(|| ATTRIBUTES.iter().map(|attribute| (attribute.name, attribute.key)).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_key() {
        for (index, attribute) in ATTRIBUTES.iter().enumerate() {
            assert_eq!(attribute.key as usize, index, "{}", attribute.name);
            assert!(attribute.documentation.ends_with('.'), "{}", attribute.name);
            assert_eq!(Key::named(attribute.name), Some(attribute.key), "{} stands twice", attribute.name);
        }
    }
}
