/*
 * mmf/view.h - views: windows on a map's bytes, as an accessor or as a stream.
 *
 * A view outlives its map handle; the bytes live as long as any view of them. Every
 * function here leaves its outputs alone when it fails.
 *
 * Threads: many threads may use an accessor; a stream, which has a position, is for one
 * thread at a time. Loads and stores are plain copies without atomicity or ordering;
 * put a mutex, an event or a channel beside the map. Close a view once, when no thread
 * uses it. fork: the child has the views, and closes its copies.
 */
#ifndef MMF_VIEW_H
#define MMF_VIEW_H

#include <stddef.h>

#include <mmf/map.h>

MMF_BEGIN_DECLS

typedef struct mmf_accessor mmf_accessor;
typedef struct mmf_stream mmf_stream;

/* What to ask of the system beyond a plain mapping: flags. */
typedef uint32_t mmf_view_flags;
enum {
    MMF_VIEW_POPULATE = 1,   /* make every page present now */
    MMF_VIEW_LOCK = 2,       /* keep it in memory (mlock); implies present */
    MMF_VIEW_HUGE_PAGES = 4, /* transparent huge pages */
    /* Make the view without what the host refuses; see mmf_accessor_granted. */
    MMF_VIEW_BEST_EFFORT = 0x100
};

/* Settings of a view; NULL means all defaults. The rules of mmf_map_options hold. */
typedef struct mmf_view_options {
    uint32_t size;        /* sizeof(mmf_view_options) */
    mmf_view_flags flags; /* default 0 */
} mmf_view_options;

/* Zero `options` and set its size. */
MMF_API void mmf_view_options_init(mmf_view_options *options);

/*
 * View `size` bytes of the map from `offset` on, which need not be page-aligned; size 0
 * means all the rest. The caller owns `*out`. MemoryMappedFile.CreateViewAccessor.
 *
 * MMF_E_NULL      map or out is NULL
 * MMF_E_INVALID   unknown flags, or unknown bytes in options
 * MMF_E_RANGE     offset or size negative; unknown access; in a 32-bit
 *                 process, size beyond 32 bits
 * MMF_E_DISPOSED  the map is dead after fork
 * MMF_E_ACCESS    offset + size beyond the map; this handle was not opened for that
 *                 access; the system refuses execution
 * MMF_E_IO        the handle allows the access, the map's creator does not
 * MMF_E_NO_MEMORY no address space left, or more than there is; MMF_VIEW_LOCK beyond
 *                 the limit
 * MMF_E_NOT_SUPPORTED  MMF_VIEW_HUGE_PAGES and the host has them switched off
 */
MMF_API int mmf_accessor_create(mmf_map *map, int64_t offset, int64_t size,
                                mmf_access access, const mmf_view_options *options,
                                mmf_accessor **out);

/* The same as a stream. MemoryMappedFile.CreateViewStream. */
MMF_API int mmf_stream_create(mmf_map *map, int64_t offset, int64_t size,
                              mmf_access access, const mmf_view_options *options,
                              mmf_stream **out);

/*
 * MemoryMappedViewAccessor.
 */

/* Close the view; a writable one is flushed first. NULL is allowed. */
MMF_API void mmf_accessor_close(mmf_accessor *view);

/* The view's bytes. 0 for NULL. */
MMF_API int64_t mmf_accessor_capacity(const mmf_accessor *view);

/* 1 if reading is allowed, else 0. 0 for NULL. */
MMF_API int mmf_accessor_can_read(const mmf_accessor *view);
/* 1 if writing is allowed, else 0. 0 for NULL. */
MMF_API int mmf_accessor_can_write(const mmf_accessor *view);

/*
 * Bytes between the start of the mapping, which the system aligns, and the view's first
 * byte: offset modulo the page size on Linux, modulo 64 KiB on Windows. 0 for NULL.
 */
MMF_API int64_t mmf_accessor_pointer_offset(const mmf_accessor *view);

/* Which of the flags asked for are in force. 0 for NULL. */
MMF_API mmf_view_flags mmf_accessor_granted(const mmf_accessor *view);

/*
 * Direct access without a copy: the view's address and size, valid until the view is
 * closed. Writing through it to a view that cannot write ends the program. The pointer
 * of a view of 0 bytes is valid and must not be followed.
 * MMF_E_NULL: an argument is NULL (`size` may be).
 */
MMF_API int mmf_accessor_pointer(const mmf_accessor *view, void **bytes, size_t *size);

/*
 * Write dirty pages of a file-backed map to the file (msync); nothing to do in memory.
 * Allowed on every view. MMF_E_NULL, MMF_E_IO.
 */
MMF_API int mmf_accessor_flush(mmf_accessor *view);

/* .NET's decimal, as ReadDecimal and Write(decimal) lay it out in a view. */
typedef struct mmf_decimal {
    int32_t low;
    int32_t middle;
    int32_t high;
    int32_t flags; /* bit 31: negative; bits 16-23: scale, 0 to 28; the rest 0 */
} mmf_decimal;

/*
 * Typed reads at a byte position, which need not be aligned, in the machine's byte
 * order. ReadBoolean, ReadByte, ... For all of them:
 *
 * MMF_E_NULL           view or value is NULL
 * MMF_E_NOT_SUPPORTED  the view cannot read
 * MMF_E_RANGE          position negative, or at or past the end
 * MMF_E_INVALID        the value would straddle the end
 */

/* 1 for any byte but 0 */
MMF_API int mmf_accessor_read_boolean(const mmf_accessor *view, int64_t position,
                                      int *value);
/* an unsigned byte */
MMF_API int mmf_accessor_read_byte(const mmf_accessor *view, int64_t position,
                                   uint8_t *value);
/* a signed byte */
MMF_API int mmf_accessor_read_sbyte(const mmf_accessor *view, int64_t position,
                                    int8_t *value);
/* one UTF-16 code unit */
MMF_API int mmf_accessor_read_char(const mmf_accessor *view, int64_t position,
                                   uint16_t *value);
/* 2 bytes, signed */
MMF_API int mmf_accessor_read_int16(const mmf_accessor *view, int64_t position,
                                    int16_t *value);
/* 2 bytes, unsigned */
MMF_API int mmf_accessor_read_uint16(const mmf_accessor *view, int64_t position,
                                     uint16_t *value);
/* 4 bytes, signed */
MMF_API int mmf_accessor_read_int32(const mmf_accessor *view, int64_t position,
                                    int32_t *value);
/* 4 bytes, unsigned */
MMF_API int mmf_accessor_read_uint32(const mmf_accessor *view, int64_t position,
                                     uint32_t *value);
/* 8 bytes, signed */
MMF_API int mmf_accessor_read_int64(const mmf_accessor *view, int64_t position,
                                    int64_t *value);
/* 8 bytes, unsigned */
MMF_API int mmf_accessor_read_uint64(const mmf_accessor *view, int64_t position,
                                     uint64_t *value);
/* 4 bytes, floating point */
MMF_API int mmf_accessor_read_single(const mmf_accessor *view, int64_t position,
                                     float *value);
/* 8 bytes, floating point */
MMF_API int mmf_accessor_read_double(const mmf_accessor *view, int64_t position,
                                     double *value);
/* 16 bytes; MMF_E_INVALID also for flags that no decimal has */
MMF_API int mmf_accessor_read_decimal(const mmf_accessor *view, int64_t position,
                                      mmf_decimal *value);

/*
 * Typed writes. Write(position, value). A boolean is stored as 1 or 0.
 *
 * MMF_E_NULL           view (or the decimal) is NULL
 * MMF_E_NOT_SUPPORTED  the view cannot write
 * MMF_E_RANGE, MMF_E_INVALID  as for reads
 */

/* 1 for any value but 0 */
MMF_API int mmf_accessor_write_boolean(mmf_accessor *view, int64_t position, int value);
/* an unsigned byte */
MMF_API int mmf_accessor_write_byte(mmf_accessor *view, int64_t position,
                                    uint8_t value);
/* a signed byte */
MMF_API int mmf_accessor_write_sbyte(mmf_accessor *view, int64_t position,
                                     int8_t value);
/* one UTF-16 code unit */
MMF_API int mmf_accessor_write_char(mmf_accessor *view, int64_t position,
                                    uint16_t value);
/* 2 bytes, signed */
MMF_API int mmf_accessor_write_int16(mmf_accessor *view, int64_t position,
                                     int16_t value);
/* 2 bytes, unsigned */
MMF_API int mmf_accessor_write_uint16(mmf_accessor *view, int64_t position,
                                      uint16_t value);
/* 4 bytes, signed */
MMF_API int mmf_accessor_write_int32(mmf_accessor *view, int64_t position,
                                     int32_t value);
/* 4 bytes, unsigned */
MMF_API int mmf_accessor_write_uint32(mmf_accessor *view, int64_t position,
                                      uint32_t value);
/* 8 bytes, signed */
MMF_API int mmf_accessor_write_int64(mmf_accessor *view, int64_t position,
                                     int64_t value);
/* 8 bytes, unsigned */
MMF_API int mmf_accessor_write_uint64(mmf_accessor *view, int64_t position,
                                      uint64_t value);
/* 4 bytes, floating point */
MMF_API int mmf_accessor_write_single(mmf_accessor *view, int64_t position,
                                      float value);
/* 8 bytes, floating point */
MMF_API int mmf_accessor_write_double(mmf_accessor *view, int64_t position,
                                      double value);
/* 16 bytes */
MMF_API int mmf_accessor_write_decimal(mmf_accessor *view, int64_t position,
                                       const mmf_decimal *value);

/*
 * One value of any type, `value_size` bytes: Read<T>, Write<T>.
 *
 * MMF_E_NULL     view or value is NULL
 * MMF_E_INVALID  value_size < 1; the value would straddle the end
 * MMF_E_RANGE, MMF_E_NOT_SUPPORTED  as above, but a negative position first
 */
MMF_API int mmf_accessor_read(const mmf_accessor *view, int64_t position, void *value,
                              int64_t value_size);

/* Write one value of any type, as mmf_accessor_read reads it. */
MMF_API int mmf_accessor_write(mmf_accessor *view, int64_t position, const void *value,
                               int64_t value_size);

/*
 * Copy up to `count` elements of `element_size` bytes to `array`, as many as the view
 * has left; `*read` says how many, 0 if not even one fits. ReadArray<T>.
 *
 * In the view elements stand .NET's stride apart: element_size if that is 1 or 2, else
 * rounded up to a multiple of 4. In `array` they stand element_size apart.
 *
 * MMF_E_NULL           view, array or read is NULL
 * MMF_E_INVALID        element_size is 0
 * MMF_E_RANGE          position negative; position at or past the end, even
 *                      for count 0
 * MMF_E_NOT_SUPPORTED  the view cannot read
 */
MMF_API int mmf_accessor_read_array(const mmf_accessor *view, int64_t position,
                                    void *array, size_t element_size, size_t count,
                                    size_t *read);

/*
 * Copy `count` elements to the view, all or none. WriteArray<T>. The stride is that of
 * mmf_accessor_read_array; the bytes between elements stay as they are.
 *
 * MMF_E_NULL           view or array is NULL
 * MMF_E_INVALID        element_size is 0; the elements do not fit
 * MMF_E_RANGE          position negative; position at or past the end
 * MMF_E_NOT_SUPPORTED  the view cannot write
 */
MMF_API int mmf_accessor_write_array(mmf_accessor *view, int64_t position,
                                     const void *array, size_t element_size,
                                     size_t count);

/*
 * MemoryMappedViewStream. Its length is fixed for life; a position may lie past it.
 */

/* Close the stream; a writable one is flushed first. NULL is allowed. */
MMF_API void mmf_stream_close(mmf_stream *stream);

/* 1 if reading is allowed, else 0. 0 for NULL. */
MMF_API int mmf_stream_can_read(const mmf_stream *stream);
/* 1 if writing is allowed, else 0. 0 for NULL. */
MMF_API int mmf_stream_can_write(const mmf_stream *stream);
/* 1: a stream can always seek. 0 for NULL. */
MMF_API int mmf_stream_can_seek(const mmf_stream *stream);

/* The stream's bytes. 0 for NULL. */
MMF_API int64_t mmf_stream_length(const mmf_stream *stream);

/* The same number as mmf_stream_length. 0 for NULL. */
MMF_API int64_t mmf_stream_capacity(const mmf_stream *stream);

/* As mmf_accessor_pointer_offset. */
MMF_API int64_t mmf_stream_pointer_offset(const mmf_stream *stream);
/* As mmf_accessor_granted. */
MMF_API mmf_view_flags mmf_stream_granted(const mmf_stream *stream);

/* The position, bytes from the start. 0 for NULL. */
MMF_API int64_t mmf_stream_position(const mmf_stream *stream);

/* Go to `position`, also past the end. MMF_E_NULL; MMF_E_RANGE: negative. */
MMF_API int mmf_stream_set_position(mmf_stream *stream, int64_t position);

/* Where an offset counts from: SeekOrigin. */
typedef enum mmf_seek_origin {
    MMF_SEEK_BEGIN = 0,
    MMF_SEEK_CURRENT = 1,
    MMF_SEEK_END = 2,
    MMF_SEEK_ORIGIN_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_seek_origin;

/*
 * Go to `offset` from `origin`; `*position` (NULL is allowed) gets the new position.
 * MMF_E_NULL: stream is NULL. MMF_E_INVALID: no such origin. MMF_E_IO: the result would
 * be negative or beyond 63 bits.
 */
MMF_API int mmf_stream_seek(mmf_stream *stream, int64_t offset, mmf_seek_origin origin,
                            int64_t *position);

/*
 * Copy up to `count` bytes to `buffer` and move on; `*read` says how many, fewer only
 * at the end, 0 at or past it.
 * MMF_E_NULL: an argument is NULL. MMF_E_NOT_SUPPORTED: the stream cannot read.
 */
MMF_API int mmf_stream_read(mmf_stream *stream, void *buffer, size_t count,
                            size_t *read);

/* The next byte, 0 to 255, or -1 at or past the end. Status as mmf_stream_read. */
MMF_API int mmf_stream_read_byte(mmf_stream *stream, int32_t *value);

/*
 * Copy `count` bytes to the stream and move on, all or none.
 * MMF_E_NULL: as for read. MMF_E_NOT_SUPPORTED: the stream cannot write, or they do not
 * fit. MMF_E_IO: position + count is beyond 63 bits.
 */
MMF_API int mmf_stream_write(mmf_stream *stream, const void *buffer, size_t count);

/* Write one byte and move on. Status as mmf_stream_write. */
MMF_API int mmf_stream_write_byte(mmf_stream *stream, uint8_t value);

/* Always refused: MMF_E_RANGE if negative, else MMF_E_NOT_SUPPORTED. MMF_E_NULL. */
MMF_API int mmf_stream_set_length(mmf_stream *stream, int64_t length);

/* As mmf_accessor_flush. */
MMF_API int mmf_stream_flush(mmf_stream *stream);

/*
 * Takes the next `count` bytes of a copy; a negative answer ends the copy and becomes
 * its status. The bytes are borrowed for the call.
 */
typedef int (*mmf_stream_sink)(void *payload, const void *bytes, size_t count);

/*
 * Pass the bytes from the position to the end to `sink`, at most `buffer_size` at a
 * time, then stand at the end. Stream.CopyTo.
 * MMF_E_NULL: stream or sink is NULL. MMF_E_RANGE: buffer_size is 0.
 * MMF_E_NOT_SUPPORTED: the stream cannot read. What the sink answered.
 */
MMF_API int mmf_stream_copy_to(mmf_stream *stream, mmf_stream_sink sink, void *payload,
                               size_t buffer_size);

/*
 * The same into another stream at its position. MMF_E_NOT_SUPPORTED also if that cannot
 * write or the bytes do not fit: then nothing is copied.
 */
MMF_API int mmf_stream_copy_to_stream(mmf_stream *stream, mmf_stream *destination,
                                      size_t buffer_size);

/* As mmf_accessor_pointer: the first byte, not the position (PositionPointer is
 * refused by .NET and does not exist here). */
MMF_API int mmf_stream_pointer(const mmf_stream *stream, void **bytes, size_t *size);

MMF_END_DECLS

#endif
