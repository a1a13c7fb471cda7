/*
 * mmf/map.h - maps: .NET's MemoryMappedFile.
 *
 * A map is a number of bytes that several processes can have in common, found by its
 * name. The name lives until the last handle on it is closed, in whatever process and
 * however that process ends; the bytes live until the last view is closed too.
 *
 * Names are UTF-8 (any bytes but NUL and backslash), 1 to 3,500 of them, compared byte
 * by byte; on Windows they must be UTF-8 and may be longer. "Cat" and "Local\Cat" are
 * one name, seen by every process of this user; "Global\Cat" is another one, seen by
 * every user, as far as `mode` lets them. Maps, mutexes, events, semaphores and
 * channels share one namespace.
 *
 * Where a rule comes from .NET, it is .NET's rule on Windows, except that sizes are
 * exact on Linux (on Windows the kernel rounds them up to pages).
 *
 * Threads: a map may be used from many threads at once; close it once, when none of
 * them uses it. fork: in the child every map that is not inheritable is dead (its
 * functions answer MMF_E_DISPOSED, close it nevertheless); views stay mapped.
 */
#ifndef MMF_MAP_H
#define MMF_MAP_H

#include <mmf/export.h>

MMF_BEGIN_DECLS

/* One open map. Closed with mmf_close. */
typedef struct mmf mmf;

/* What a map or a view may do. The numbers are MemoryMappedFileAccess's own. */
typedef int32_t mmf_access;
enum {
    MMF_ACCESS_READ_WRITE = 0,
    MMF_ACCESS_READ = 1,
    MMF_ACCESS_WRITE = 2, /* for views, and to open with mmf_create_or_open */
    MMF_ACCESS_COPY_ON_WRITE = 3,
    MMF_ACCESS_READ_EXECUTE = 4,
    MMF_ACCESS_READ_WRITE_EXECUTE = 5
};

/* What a handle that opens a map may do with it: MemoryMappedFileRights. */
typedef int32_t mmf_rights;
enum {
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
    MMF_RIGHTS_ACCESS_SYSTEM_SECURITY = 0x1000000
};

/* How to make a map: MemoryMappedFileOptions, flags. */
typedef int32_t mmf_map_options;
enum {
    MMF_OPTIONS_NONE = 0,
    /* Do not reserve the bytes now: a full system then shows as SIGBUS at first use. */
    MMF_OPTIONS_DELAY_ALLOCATE_PAGES = 0x04000000
};

/* Whether child processes get the handle: HandleInheritability. */
typedef int32_t mmf_inheritability;
enum { MMF_INHERITABILITY_NONE = 0, MMF_INHERITABILITY_INHERITABLE = 1 };

/* How to open a file: FileMode. */
typedef int32_t mmf_file_mode;
enum {
    MMF_FILE_MODE_CREATE_NEW = 1,
    MMF_FILE_MODE_CREATE = 2,
    MMF_FILE_MODE_OPEN = 3,
    MMF_FILE_MODE_OPEN_OR_CREATE = 4,
    MMF_FILE_MODE_TRUNCATE = 5, /* refused for maps, as in .NET */
    MMF_FILE_MODE_APPEND = 6    /* refused for maps, as in .NET */
};

/* What others may do meanwhile with a file that we opened by path (FileShare). */
typedef int32_t mmf_file_share;
enum {
    MMF_FILE_SHARE_DEFAULT = 0, /* as .NET's maps: READ */
    MMF_FILE_SHARE_READ = 1,    /* readers beside readers, a writer alone */
    MMF_FILE_SHARE_READ_WRITE = 3
};

/*
 * Settings beyond name and capacity; NULL means all defaults. `size` tells the library
 * which version the caller was built with: a shorter struct gets defaults for the rest,
 * a longer one is MMF_E_INVALID if it is not zero beyond what the library knows.
 */
typedef struct mmf_options {
    uint32_t size;                     /* sizeof(mmf_options) */
    mmf_access access;                 /* default MMF_ACCESS_READ_WRITE */
    mmf_map_options options;           /* default MMF_OPTIONS_NONE */
    mmf_inheritability inheritability; /* default MMF_INHERITABILITY_NONE */
    /*
     * Permission bits of a new named map, whatever the umask; 0 means 0600. They matter
     * for "Global\" names. Linux only; ignored when the call opens an existing map.
     */
    uint32_t mode;
    mmf_file_share share; /* mmf_create_from_file only */
    int32_t leave_open; /* mmf_create_from_handle, _fd: keep it open after mmf_close */
    uint32_t reserved;  /* 0 */
} mmf_options;

/* Fill `options` with the defaults. A function, so that bindings can call it. */
MMF_API void mmf_options_init(mmf_options *options);

/* Settings of mmf_open_existing; the rules of mmf_options hold. */
typedef struct mmf_open_options {
    uint32_t size;                     /* sizeof(mmf_open_options) */
    mmf_rights rights;                 /* default MMF_RIGHTS_READ_WRITE */
    mmf_inheritability inheritability; /* default MMF_INHERITABILITY_NONE */
    uint32_t reserved;                 /* 0 */
} mmf_open_options;

MMF_API void mmf_open_options_init(mmf_open_options *options);

/*
 * Create the map `map_name` with `capacity` bytes, all zero; NULL makes an unnamed one.
 * The bytes are reserved now, so that a lack of memory is reported here. On success the
 * caller owns `*out`. MemoryMappedFile.CreateNew.
 *
 * MMF_E_NULL        out is NULL
 * MMF_E_INVALID     empty name; access MMF_ACCESS_WRITE; unknown bytes in options
 * MMF_E_RANGE       capacity < 1 (or more than 32 bits can address, in a 32-bit
 *                   process); access, options or inheritability is no such value
 * MMF_E_EXISTS      a map of that name exists
 * MMF_E_WRONG_KIND  the name belongs to an object of another kind
 * MMF_E_PATH_NOT_FOUND  a backslash in the name that does not end Local or Global;
 *                   MMF_DIR names no directory
 * MMF_E_PATH_TOO_LONG   more than 3,500 bytes of name
 * MMF_E_NO_SPACE    the file system cannot hold `capacity` bytes
 * MMF_E_NO_MEMORY   the machine or its cgroup cannot
 * MMF_E_ACCESS      the namespace's directory is not ours or not safe; the name is
 *                   held by another user's object that we may not open or remove
 * MMF_E_BUSY        a process that was stopped while it removes the name is in the
 *                   way; nothing was changed
 * MMF_E_CORRUPT     something that is no mmf object has the name's file; left alone
 * MMF_E_LAYOUT      the name is held by an object that this version cannot read
 * MMF_E_NOT_SUPPORTED  MMF_DIR is on a network file system
 * MMF_E_IO          any other failure of the system
 */
MMF_API int mmf_create_new(const char *map_name, int64_t capacity,
                           const mmf_options *options, mmf **out);

/*
 * Open the map `map_name`, or create it if there is none, in one step. If it exists,
 * capacity and options of the call are checked and then ignored; access says what this
 * handle may do. With MMF_ACCESS_WRITE the call only opens, for writing alone.
 * MemoryMappedFile.CreateOrOpen.
 *
 * Status: as mmf_create_new, without MMF_E_EXISTS, and
 * MMF_E_NULL     map_name is NULL
 * MMF_E_INVALID  access is MMF_ACCESS_WRITE and there is no such map
 */
MMF_API int mmf_create_or_open(const char *map_name, int64_t capacity,
                               const mmf_options *options, mmf **out);

/*
 * Open the map `map_name`. Asking for more than the map's creator gave it is no error
 * here: the view will be refused. MemoryMappedFile.OpenExisting.
 *
 * MMF_E_NULL       map_name or out is NULL
 * MMF_E_INVALID    empty name; unknown bytes in options
 * MMF_E_RANGE      inheritability or rights are no such values
 * MMF_E_NOT_FOUND  no such map: its last handle is gone, or it never was
 * MMF_E_WRONG_KIND, MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, MMF_E_BUSY,
 * MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_NOT_SUPPORTED: as above
 * MMF_E_ACCESS     the map's owner does not let us
 * MMF_E_IO         MMF_RIGHTS_ACCESS_SYSTEM_SECURITY was asked, which needs a
 *                  privilege that Linux does not have; any other failure
 */
MMF_API int mmf_open_existing(const char *map_name, const mmf_open_options *options,
                              mmf **out);

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
 * MMF_E_RANGE      capacity negative or less than the file; access, mode or an option
 *                  is no such value
 * MMF_E_NOT_FOUND, MMF_E_PATH_NOT_FOUND  no such file, no such directory
 * MMF_E_EXISTS     CREATE_NEW and the file exists, or a map of that name exists
 * MMF_E_ACCESS     no permission; a directory; execute access to a file without the
 *                  execute permission; a global name for a file of another user
 * MMF_E_SHARING    somebody else has the file in use, see mmf_file_share
 * MMF_E_NOT_SUPPORTED  a pipe, a socket
 * MMF_E_NO_SPACE   the file cannot grow
 * MMF_E_WRONG_KIND and the rest: as mmf_create_new
 */
MMF_API int mmf_create_from_file(const char *path, mmf_file_mode mode,
                                 const char *map_name, int64_t capacity,
                                 const mmf_options *options, mmf **out);

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
 * and those of mmf_create_from_file that concern capacity, access and name
 */
MMF_API int mmf_create_from_handle(intptr_t handle, const char *map_name,
                                   int64_t capacity, const mmf_options *options,
                                   mmf **out);

/*
 * The same for a C descriptor. MMF_E_PLATFORM on Windows, where descriptors belong to a
 * C runtime, of which a program and the library may have two: mmf_create_from_handle
 * takes what the program's own _get_osfhandle says.
 */
MMF_API int mmf_create_from_fd(int fd, const char *map_name, int64_t capacity,
                               const mmf_options *options, mmf **out);

/*
 * Take over a map whose handle a parent process left to this one: `handle` is
 * mmf_native_handle of an inheritable map there, the same number here, after fork and
 * exec or posix_spawn. The caller owns `*out`; on success the descriptor belongs to it.
 * The parent tells the number as it likes: an argument, an environment variable.
 *
 * MMF_E_NULL, MMF_E_INVALID, MMF_E_RANGE  as mmf_open_existing
 * MMF_E_DISPOSED   handle is not an open descriptor
 * MMF_E_CORRUPT    handle is no map
 */
MMF_API int mmf_open_inherited(intptr_t handle, const mmf_open_options *options,
                               mmf **out);

/* Let go of the map. Views made from it stay valid. NULL is allowed. */
MMF_API void mmf_close(mmf *map);

/*
 * The map's bytes, as its first creator asked; on Windows rounded up to pages.
 * MMF_E_NULL: an argument is NULL.
 */
MMF_API int mmf_capacity(const mmf *map, int64_t *capacity);

/*
 * The system's own handle, borrowed: a descriptor on Linux, a section handle on
 * Windows. For inheritance and for poking about; mapping it by hand bypasses the access
 * checks. MMF_E_NULL: an argument is NULL. MMF_E_DISPOSED: dead after fork.
 */
MMF_API int mmf_native_handle(const mmf *map, intptr_t *handle);

MMF_END_DECLS

#endif
