/*
 * mmf/map.h - maps: .NET's MemoryMappedFile.
 *
 * A map is a block of bytes that several processes share, found by its name. The name
 * lives until the last handle on it is closed, in any process and however that process
 * ends; the bytes live until the last view is closed too.
 *
 * Names are UTF-8 (any bytes but NUL and backslash), 1 to 3,500 of them, compared byte
 * by byte; on Windows they must be UTF-8 and may be longer. "Cat" and "Local\Cat" are
 * one name, seen by every process of this user; "Global\Cat" is another one, seen by
 * every user whom `mode` permits. Maps, mutexes, events, semaphores and channels share
 * one namespace.
 *
 * Where a rule comes from .NET, it is .NET's rule on Windows, except that sizes are
 * exact on Linux (on Windows the kernel rounds them up to pages).
 *
 * Threads: many threads may use a map at once; close it once, when none of them uses
 * it. fork: in the child every map that is not inheritable is dead (its functions
 * return MMF_E_DISPOSED; close it all the same); views stay mapped.
 */
#ifndef MMF_MAP_H
#define MMF_MAP_H

#include <stddef.h>

#include <mmf/export.h>

MMF_BEGIN_DECLS

/* An open map. Closed with mmf_map_close. */
typedef struct mmf_map mmf_map;

/* What a map or a view may do. The numbers are MemoryMappedFileAccess's own. */
typedef enum mmf_access {
    MMF_ACCESS_READ_WRITE = 0,
    MMF_ACCESS_READ = 1,
    MMF_ACCESS_WRITE = 2, /* for views, and to open with mmf_map_create_or_open */
    MMF_ACCESS_COPY_ON_WRITE = 3,
    MMF_ACCESS_READ_EXECUTE = 4,
    MMF_ACCESS_READ_WRITE_EXECUTE = 5,
    MMF_ACCESS_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_access;

/* What a handle that opens a map may do with it: MemoryMappedFileRights. */
typedef enum mmf_rights {
    MMF_RIGHTS_COPY_ON_WRITE = 0x1,
    MMF_RIGHTS_WRITE = 0x2,
    MMF_RIGHTS_READ = 0x4,
    MMF_RIGHTS_READ_WRITE = 0x6,
    MMF_RIGHTS_EXECUTE = 0x8,
    MMF_RIGHTS_READ_EXECUTE = 0xC,
    MMF_RIGHTS_READ_WRITE_EXECUTE = 0xE,
    MMF_RIGHTS_DELETE = 0x10000,
    MMF_RIGHTS_READ_PERMISSIONS = 0x20000,
    MMF_RIGHTS_CHANGE_PERMISSIONS = 0x40000,
    MMF_RIGHTS_TAKE_OWNERSHIP = 0x80000,
    MMF_RIGHTS_FULL_CONTROL = 0xF000F,
    MMF_RIGHTS_ACCESS_SYSTEM_SECURITY = 0x1000000,
    MMF_RIGHTS_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_rights;

/* When a new map gets its memory: MemoryMappedFileOptions. */
typedef enum mmf_map_allocation {
    MMF_ALLOCATE_NOW = 0, /* on creation, so that a lack of memory is reported there */
    /* At first use of each page; a full system then shows as SIGBUS. */
    MMF_DELAY_ALLOCATE_PAGES = 0x04000000,
    MMF_MAP_ALLOCATION_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_map_allocation;

/* Whether child processes get the handle: HandleInheritability. */
typedef enum mmf_inheritability {
    MMF_INHERITABILITY_NONE = 0,
    MMF_INHERITABILITY_INHERITABLE = 1,
    MMF_INHERITABILITY_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_inheritability;

/* How to open a file: FileMode. */
typedef enum mmf_file_mode {
    MMF_FILE_MODE_CREATE_NEW = 1,
    MMF_FILE_MODE_CREATE = 2,
    MMF_FILE_MODE_OPEN = 3,
    MMF_FILE_MODE_OPEN_OR_CREATE = 4,
    MMF_FILE_MODE_TRUNCATE = 5,          /* refused for maps, as in .NET */
    MMF_FILE_MODE_APPEND = 6,            /* refused for maps, as in .NET */
    MMF_FILE_MODE_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_file_mode;

/* What others may do meanwhile with a file that we opened by path (FileShare). */
typedef enum mmf_file_share {
    MMF_FILE_SHARE_DEFAULT = 0, /* as .NET's maps: READ */
    MMF_FILE_SHARE_READ = 1,    /* readers beside readers, a writer alone */
    MMF_FILE_SHARE_READ_WRITE = 3,
    MMF_FILE_SHARE_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_file_share;

/*
 * Settings of a map; NULL means all defaults, and so does a struct that is zero but for
 * `size`: {.size = sizeof options, .mode = 0660}. `size` tells the library which
 * version the caller was built with: a shorter struct gets defaults for the rest; a
 * longer one is MMF_E_INVALID unless it is zero beyond what the library knows. A field
 * that is marked with calls is read by those calls alone.
 */
typedef struct mmf_map_options {
    uint32_t size;     /* sizeof(mmf_map_options) */
    mmf_access access; /* what this handle may do; default MMF_ACCESS_READ_WRITE */
    /* open_existing, open_inherited: .NET's finer rights instead of `access`; 0: the
     * rights of `access` */
    mmf_rights rights;
    mmf_inheritability inheritability; /* default MMF_INHERITABILITY_NONE */
    mmf_map_allocation allocation;     /* create; default MMF_ALLOCATE_NOW */
    /*
     * 1: every user finds the name, as if it began with "Global\"; MMF_E_INVALID if it
     * begins with "Local\". 0: the prefix decides.
     */
    int32_t all_users;
    /*
     * create: permission bits of a new named map, whatever the umask. 0: 0666 with
     * all_users, else 0600. Linux only; ignored by a call that opens an existing map.
     */
    uint32_t mode;
    int32_t exact_capacity; /* create_or_open: 1: MMF_E_MISMATCH if the existing map has
                               another capacity; 0: the existing one wins, as in .NET */
    int32_t wait_ms; /* open_existing: wait up to so many milliseconds for the name;
                        0: do not; -1: forever */
    mmf_file_share share; /* create_from_file */
    int32_t leave_open;   /* create_from_handle, create_from_fd: 1: mmf_map_close leaves
                             the handle open */
    uint32_t reserved;    /* 0 */
} mmf_map_options;

/* Zero `options` and set its size. A function, so that bindings can call it. */
MMF_API void mmf_map_options_init(mmf_map_options *options);

/*
 * Create the map `map_name` with `capacity` bytes, all zero; NULL makes an unnamed one.
 * The memory is reserved by the call, so that a lack of it is reported here. On success
 * the caller owns `*out`. MemoryMappedFile.CreateNew.
 *
 * MMF_E_NULL        out is NULL
 * MMF_E_INVALID     empty name; access MMF_ACCESS_WRITE; all_users with a "Local\"
 *                   name; unknown bytes in options
 * MMF_E_RANGE       capacity < 1 (or more than 32 bits can address, in a 32-bit
 *                   process); unknown access, allocation or inheritability; a mode
 *                   beyond 0777
 * MMF_E_EXISTS      a map of that name exists
 * MMF_E_WRONG_KIND  the name belongs to an object of another kind
 * MMF_E_PATH_NOT_FOUND  a backslash in the name that does not end Local or Global;
 *                   MMF_DIR names no directory
 * MMF_E_PATH_TOO_LONG   more than 3,500 bytes of name
 * MMF_E_NO_SPACE    the file system cannot hold `capacity` bytes
 * MMF_E_NO_MEMORY   the machine or its cgroup cannot
 * MMF_E_ACCESS      the namespace's directory is not ours or not safe; the name is
 *                   held by another user's object that we may not open or remove
 * MMF_E_BUSY        a stopped process is blocking the name; nothing was changed
 * MMF_E_CORRUPT     the name's file is not an mmf object; it is left alone
 * MMF_E_LAYOUT      the name is held by an object that this version cannot read
 * MMF_E_NOT_SUPPORTED  MMF_DIR is on a network file system
 * MMF_E_IO          any other failure of the system
 */
MMF_API int mmf_map_create_new(const char *map_name, int64_t capacity,
                               const mmf_map_options *options, mmf_map **out);

/*
 * Open the map `map_name`, or create it, in one step; `*created` (NULL
 * is allowed) is 1 if this call created it, else 0. If the map exists its capacity
 * wins: mmf_map_capacity returns it, and `exact_capacity` makes another one a failure.
 * With MMF_ACCESS_WRITE the map must exist and is opened write-only.
 * MemoryMappedFile.CreateOrOpen.
 *
 * Status: as mmf_map_create_new, without MMF_E_EXISTS, and
 * MMF_E_MISMATCH exact_capacity was asked for, and the map has another capacity
 * MMF_E_NULL     map_name is NULL
 * MMF_E_INVALID  access is MMF_ACCESS_WRITE and there is no such map; a flag of options
 *                that is not 0 or 1
 */
MMF_API int mmf_map_create_or_open(const char *map_name, int64_t capacity,
                                   const mmf_map_options *options, int *created,
                                   mmf_map **out);

/*
 * Open the map `map_name`. Requesting more access than the creator granted succeeds
 * here; creating the view then fails. MemoryMappedFile.OpenExisting.
 *
 * MMF_E_NULL       map_name or out is NULL
 * MMF_E_INVALID    empty name; unknown bytes in options
 * MMF_E_RANGE      unknown access, rights or inheritability; wait_ms < -1
 * MMF_E_NOT_FOUND  there is no such map, also after wait_ms
 * MMF_E_WRONG_KIND, MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, MMF_E_BUSY,
 * MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_NOT_SUPPORTED: as above
 * MMF_E_ACCESS     the map's owner does not permit it
 * MMF_E_IO         MMF_RIGHTS_ACCESS_SYSTEM_SECURITY was asked, which needs a
 *                  privilege that Linux does not have; any other failure
 */
MMF_API int mmf_map_open_existing(const char *map_name, const mmf_map_options *options,
                                  mmf_map **out);

/*
 * Map the file `path`, and publish the map as `map_name` unless that is NULL. Capacity
 * 0 means the file's length; a larger one grows the file to exactly that many bytes. A
 * file that this call created is removed again if the call fails. The map closes the
 * file. MemoryMappedFile.CreateFromFile(path, ...).
 *
 * MMF_E_NULL       path or out is NULL
 * MMF_E_INVALID    empty name or path; access WRITE; mode APPEND or TRUNCATE; mode
 *                  CREATE or CREATE_NEW with a read-only access; capacity 0 and an
 *                  empty file; access READ and capacity beyond the file
 * MMF_E_RANGE      capacity negative or less than the file; unknown access, mode or
 *                  option
 * MMF_E_NOT_FOUND, MMF_E_PATH_NOT_FOUND  no such file, no such directory
 * MMF_E_EXISTS     CREATE_NEW and the file exists, or a map of that name exists
 * MMF_E_ACCESS     no permission; a directory; execute access to a file without the
 *                  execute permission; a global name for a file of another user
 * MMF_E_SHARING    another process has the file in use, see mmf_file_share
 * MMF_E_NOT_SUPPORTED  a pipe, a socket
 * MMF_E_NO_SPACE   the file cannot grow
 * MMF_E_WRONG_KIND and the rest: as mmf_map_create_new
 */
MMF_API int mmf_map_create_from_file(const char *path, mmf_file_mode mode,
                                     const char *map_name, int64_t capacity,
                                     const mmf_map_options *options, mmf_map **out);

/*
 * The same for a file that is already open: a descriptor on Linux, a HANDLE on Windows.
 * The map owns `handle` from success on and closes it, unless options->leave_open; on
 * failure the caller keeps it. The file is never removed. A name needs a file that can
 * be found by path again (Linux).
 * MemoryMappedFile.CreateFromFile(FileStream or SafeFileHandle, ...).
 *
 * MMF_E_DISPOSED      handle is not open
 * MMF_E_ACCESS        access needs more than the file was opened for
 * MMF_E_NOT_SUPPORTED a pipe or socket; a name for a file that has no path
 * and those of mmf_map_create_from_file that concern capacity, access and name
 */
MMF_API int mmf_map_create_from_handle(intptr_t handle, const char *map_name,
                                       int64_t capacity, const mmf_map_options *options,
                                       mmf_map **out);

/*
 * The same for a C descriptor. MMF_E_PLATFORM on Windows, where descriptors belong to a
 * C runtime, of which a program and the library may have two:
 * mmf_map_create_from_handle takes what the program's own _get_osfhandle says.
 */
MMF_API int mmf_map_create_from_fd(int fd, const char *map_name, int64_t capacity,
                                   const mmf_map_options *options, mmf_map **out);

/*
 * Take over a map whose handle a parent process left to this one: `handle` is
 * mmf_map_native_handle of an inheritable map there, the same number here, after fork
 * and exec or posix_spawn. The caller owns `*out`; on success the descriptor belongs to
 * it. The parent passes the number as it likes: an argument, an environment variable.
 *
 * MMF_E_NULL, MMF_E_INVALID, MMF_E_RANGE  as mmf_map_open_existing
 * MMF_E_DISPOSED   handle is not an open descriptor
 * MMF_E_CORRUPT    handle is not a map
 */
MMF_API int mmf_map_open_inherited(intptr_t handle, const mmf_map_options *options,
                                   mmf_map **out);

/*
 * Map the whole map into memory, once, and return its first byte and its size. The
 * bytes stay mapped until mmf_map_close; a second call with the same access returns the
 * same address.
 *
 * MMF_E_NULL      map, bytes or size is NULL
 * MMF_E_RANGE     unknown access; in a 32-bit process, a capacity beyond 32 bits
 * MMF_E_STATE     an earlier call mapped it with another access
 * MMF_E_ACCESS, MMF_E_IO, MMF_E_DISPOSED, MMF_E_NO_MEMORY  as mmf_accessor_create
 */
MMF_API int mmf_map_bytes(mmf_map *map, mmf_access access, void **bytes, size_t *size);

/*
 * Close the handle, and unmap what mmf_map_bytes returned. Accessors and streams stay
 * valid. NULL is allowed.
 *
 * A process that has changed its user or its root may be unable to remove the file of a
 * name whose last handle this was. The name is free all the same; mmf_last_error then
 * says MMF_E_ACCESS, and which file stays. So it is for closing any named object.
 */
MMF_API void mmf_map_close(mmf_map *map);

/*
 * The map's bytes, as its first creator asked; on Windows rounded up to pages.
 * MMF_E_NULL: an argument is NULL.
 */
MMF_API int mmf_map_capacity(const mmf_map *map, int64_t *capacity);

/*
 * The system's own handle, borrowed: a descriptor on Linux, a section handle on
 * Windows. For inheritance and inspection; mapping it by hand bypasses the access
 * checks. MMF_E_NULL: an argument is NULL. MMF_E_DISPOSED: the handle is dead after
 * fork.
 */
MMF_API int mmf_map_native_handle(const mmf_map *map, intptr_t *handle);

MMF_END_DECLS

#endif
