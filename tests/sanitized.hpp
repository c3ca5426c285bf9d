// Is this built under a sanitizer that brings its own malloc? AUTODIFF_SANITIZED is 1 then, else 0.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AUTODIFF_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define AUTODIFF_SANITIZED 1
#endif
#endif
#ifndef AUTODIFF_SANITIZED
#define AUTODIFF_SANITIZED 0
#endif
