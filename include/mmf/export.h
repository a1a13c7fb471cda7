/* mmf/export.h - which functions the shared library shows, and how they are called. */
#ifndef MMF_EXPORT_H
#define MMF_EXPORT_H

#include <stdint.h>

#if defined(_WIN32) && !defined(MMF_STATIC)
#if defined(MMF_BUILDING)
#define MMF_API __declspec(dllexport)
#else
#define MMF_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define MMF_API __attribute__((visibility("default")))
#else
#define MMF_API
#endif

#ifdef __cplusplus
#define MMF_BEGIN_DECLS extern "C" {
#define MMF_END_DECLS }
#else
#define MMF_BEGIN_DECLS
#define MMF_END_DECLS
#endif

#endif
