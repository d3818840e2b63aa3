#include "CSecure.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t room, first, end;
    char bytes[];
} Tube;

static int tube_write(BIO *bio, const char *data, size_t count, size_t *written) {
    Tube *tube = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tube->first == tube->end) tube->first = tube->end = 0;
    if (tube->room - tube->end < count) {
        BIO_set_retry_write(bio);
        return 0;
    }
    memcpy(tube->bytes + tube->end, data, count);
    tube->end += count;
    *written = count;
    return 1;
}

static int tube_read(BIO *bio, char *data, size_t count, size_t *got) {
    Tube *tube = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t held = tube->end - tube->first;
    if (held == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    if (count > held) count = held;
    memcpy(data, tube->bytes + tube->first, count);
    tube->first += count;
    *got = count;
    return 1;
}

static long tube_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int tube_destroy(BIO *bio) {
    free(BIO_get_data(bio));
    return 1;
}

/// Made once, by the one thread that there is.
static BIO_METHOD *tube_method(void) {
    static BIO_METHOD *method;
    if (method) return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tube");
    if (!method) return NULL;
    BIO_meth_set_write_ex(method, tube_write);
    BIO_meth_set_read_ex(method, tube_read);
    BIO_meth_set_ctrl(method, tube_control);
    BIO_meth_set_destroy(method, tube_destroy);
    return method;
}

BIO *apus_tube(size_t bytes) {
    const BIO_METHOD *method = tube_method();
    Tube *tube = method ? malloc(sizeof(Tube) + bytes) : NULL;
    BIO *bio = tube ? BIO_new(method) : NULL;
    if (!bio) {
        free(tube);
        return NULL;
    }
    tube->room = bytes;
    tube->first = tube->end = 0;
    BIO_set_data(bio, tube);
    BIO_set_init(bio, 1);
    return bio;
}
