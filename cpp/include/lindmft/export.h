/* What the shared library shows: everything else in it is hidden. */
#ifndef LINDMFT_EXPORT_H
#define LINDMFT_EXPORT_H

#if defined(__GNUC__)
#define LINDMFT_EXPORT __attribute__((visibility("default")))
#else
#define LINDMFT_EXPORT
#endif

#endif
