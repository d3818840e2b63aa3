/// A plugin for QEMU's emulation (`-plugin`, TCG plugin interface version 1) that counts the
/// instructions of a measured program, user and kernel apart, where the machine has no performance
/// counters. `apus-bench` marks its own threads and the measured work (Marks.h); what every other
/// thread that has a user side executes meanwhile is the proxy's. A thread is told by its
/// task in the kernel, which is seen where the kernel switches to it: `__switch_to_asm` loads the
/// stack pointer from the next thread's task (`mov disp32(%rsi), %rsp`).
///
/// A repeated string instruction counts once, as on a processor; the emulator makes a loop of it.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The part of qemu-plugin.h that is used; Debian does not package that header.
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum { CB_NO_REGS = 0, MEM_RW = 3 };
typedef void (*exec_cb)(unsigned vcpu, void *data);
typedef void (*mem_cb)(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);
typedef void (*translate_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translate_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, exec_cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, exec_cb, int flags,
                                            void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, mem_cb, int flags, int rw,
                                      void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { TASKS_MAX = 4096, BLOCKS_PER_CHUNK = 4096 };

struct task {
    uint64_t address;
    uint64_t user, kernel;
    bool has_user_side, is_own;
};

/// What is known of a translated block.
struct block {
    uint32_t instructions;
    bool is_user;
    /// The repeated string instruction that it begins with, and that it ends with; or 0.
    uint64_t first_repeated, last_repeated;
};

static struct task tasks[TASKS_MAX];
static unsigned task_count;
static struct task *current;
static uint64_t repeated;
static bool is_measuring;
static uint64_t switches;
static uint64_t switch_address;
static FILE *output;

static struct task *task_at(uint64_t address) {
    for (unsigned i = 0; i < task_count; i++)
        if (tasks[i].address == address) {
            // The ones asked for most stand first.
            if (i > 0) {
                struct task swap = tasks[i];
                tasks[i] = tasks[i - 1];
                tasks[i - 1] = swap;
                i--;
            }
            return &tasks[i];
        }
    if (task_count == TASKS_MAX) abort();
    tasks[task_count].address = address;
    return &tasks[task_count++];
}

static void executed(unsigned vcpu, void *data) {
    const struct block *block = data;
    if (!(block->first_repeated && block->first_repeated == repeated)) {
        if (block->is_user) {
            current->user += block->instructions;
            current->has_user_side = true;
        } else {
            current->kernel += block->instructions;
        }
    }
    repeated = block->last_repeated;
}

static void switched(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    switches++;
    current = task_at(address);
}

static void report(void) {
    uint64_t user = 0, kernel = 0, own = 0, other = 0;
    for (unsigned i = 0; i < task_count; i++) {
        struct task *task = &tasks[i];
        if (task->is_own) own += task->user + task->kernel;
        else if (task->has_user_side) user += task->user, kernel += task->kernel;
        else other += task->kernel;
    }
    fprintf(output,
            "{\"user\":%" PRIu64 ",\"kernel\":%" PRIu64 ",\"load\":%" PRIu64 ",\"threads\":%" PRIu64
            ",\"switches\":%" PRIu64 "}\n", user, kernel, own, other, switches);
    fflush(output);
}

static void marked(unsigned vcpu, void *data) {
    switch ((uintptr_t)data) {
    case 1: current->is_own = true; break;
    case 2:
        for (unsigned i = 0; i < task_count; i++) tasks[i].user = tasks[i].kernel = 0;
        switches = 0;
        is_measuring = true;
        break;
    case 3:
        if (is_measuring) report();
        is_measuring = false;
        break;
    case 4: current->is_own = false; break;
    }
}

static bool is_repeated_string(const uint8_t *code, size_t size) {
    if (size < 2 || (code[0] != 0xf3 && code[0] != 0xf2)) return false;
    const uint8_t operation = size > 2 && (code[1] & 0xf0) == 0x40 ? code[2] : code[1];
    return (operation >= 0xa4 && operation <= 0xa7) || (operation >= 0xaa && operation <= 0xaf);
}

static uintptr_t mark_of(const uint8_t *code, size_t size) {
    static const uint8_t head[] = {0x0f, 0x1f, 0x84, 0x00};
    static const uint8_t tail[] = {0x55, 0x50, 0x41};
    if (size != 8 || memcmp(code, head, 4) != 0 || memcmp(code + 5, tail, 3) != 0) return 0;
    return code[4];
}

static struct block *make_block(void) {
    static struct block *chunk;
    static unsigned used = BLOCKS_PER_CHUNK;
    if (used == BLOCKS_PER_CHUNK) {
        chunk = calloc(BLOCKS_PER_CHUNK, sizeof *chunk);
        used = 0;
    }
    return &chunk[used++];
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const size_t count = qemu_plugin_tb_n_insns(tb);
    struct block *block = make_block();
    block->instructions = (uint32_t)count;
    block->is_user = qemu_plugin_tb_vaddr(tb) >> 47 == 0;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *code = qemu_plugin_insn_data(instruction);
        const size_t size = qemu_plugin_insn_size(instruction);
        const uint64_t address = qemu_plugin_insn_vaddr(instruction);
        if (is_repeated_string(code, size)) {
            if (i == 0) block->first_repeated = address;
            if (i + 1 == count) block->last_repeated = address;
        }
        if (address >= switch_address && address < switch_address + 64 && size == 7 &&
            memcmp(code, "\x48\x8b\xa6", 3) == 0)
            qemu_plugin_register_vcpu_mem_cb(instruction, switched, CB_NO_REGS, MEM_RW, NULL);
        const uintptr_t mark = block->is_user ? mark_of(code, size) : 0;
        if (mark)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, marked, CB_NO_REGS, (void *)mark);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, CB_NO_REGS, block);
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "switch=", 7) == 0) switch_address = strtoull(argv[i] + 7, NULL, 16);
        if (strncmp(argv[i], "output=", 7) == 0) output = fopen(argv[i] + 7, "we");
    }
    if (switch_address == 0 || output == NULL) return -1;
    current = task_at(0);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
