// Stands in for Apple's header: what metal-cpp takes from it.
#pragma once
typedef struct __IOSurface* IOSurfaceRef;
