// jemalloc keeps freed pages for half a minute before it gives them back: a training step frees and takes the same large tensors
// every time, and fresh pages cost a fault each.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:30000,muzzy_decay_ms:30000";
}
