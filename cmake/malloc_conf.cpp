// jemalloc keeps freed memory for ten seconds, in huge pages where it can: a training step frees and takes the same large tensors every
// time, and fresh small pages cost a fault each. Blocks of 32 MB and more go back at once: kept for ever, freed blocks of ever new
// sizes would fill the machine.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:10000,oversize_threshold:33554432,thp:always";
}
