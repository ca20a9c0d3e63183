/* A disk that answers nobody for a while: syncing waits as long as the file
   that SLOW_DISK_GATE names is there. Preloaded into the program. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_gate(void) {
    const char *gate = getenv("SLOW_DISK_GATE");
    while (gate != NULL && access(gate, F_OK) == 0) usleep(1000);
}

int fdatasync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_gate();
    return next(fd);
}

int fsync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_gate();
    return next(fd);
}
