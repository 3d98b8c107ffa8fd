/* Marks the functions and classes that the shared library exports; all others are hidden. */
#ifndef LINDMFT_EXPORT_H
#define LINDMFT_EXPORT_H

#if defined(__GNUC__)
#define LINDMFT_EXPORT __attribute__((visibility("default")))
#else
#define LINDMFT_EXPORT
#endif

#endif
