/*
 * fuse_server.h - a FUSE file system with nothing in it, to have one to be refused.
 */
#ifndef MMF_TEST_FUSE_SERVER_H
#define MMF_TEST_FUSE_SERVER_H

/*
 * Mount one on `directory`, served by a child process that ends with this one. 0, or -1
 * where it cannot be done.
 */
int fuse_server_mount(const char *directory);

#endif
