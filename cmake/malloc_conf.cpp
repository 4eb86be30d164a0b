// jemalloc keeps freed memory, in huge pages where it can: a training step frees and takes the same large tensors every time, and
// fresh small pages cost a fault each. What a program holds is bounded by its peak.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0,thp:always";
}
