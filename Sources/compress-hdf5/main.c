// compress-hdf5: what an HDF5 file holds, in a form that needs no library to read.
//
// libhdf5 reads files that anybody wrote. So it is in no other program than this one, which takes the bytes of a file
// from standard input, gives up all rights before it looks at them, and writes texts and numbers to standard output:
//
//     "CHDF5\1"
//     'A' path  name  u32 count  text…                        an attribute of texts
//     'D' path  u8 type  u8 rank  u64 extents…  u64 count  bytes   a data set; the type is its kind (f, i, u) and bytes
//     'X' text                                                what is wrong; nothing follows
//     'E'                                                     the end of a file that was read whole
//
// A text and a path are a u32 count and bytes. All numbers are little-endian.
#define _GNU_SOURCE
#include <CConfinement.h>
#include <errno.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
  longest_path = 4096,
  deepest = 32,
  most_objects = 1 << 18,
  most_texts = 1 << 16,
  most_axes = 8,
  seconds = 120,
};
// Bytes of a file, and of memory beside it.
static const size_t largest_file = (size_t)2 << 30, spare_memory = (size_t)512 << 20;

// MARK: Output

static _Noreturn void refuse(const char *format, ...) {
  char text[longest_path + 256];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (count < 0) count = 0;
  if ((size_t)count >= sizeof text) count = sizeof text - 1;
  uint32_t length = (uint32_t)count;
  fputc('X', stdout);
  fwrite(&length, 4, 1, stdout);
  fwrite(text, 1, length, stdout);
  fflush(stdout);
  _exit(1);
}

static void put(const void *bytes, size_t count) {
  if (count && fwrite(bytes, 1, count, stdout) != count) _exit(3);
}

static void put_u32(uint32_t value) { put(&value, 4); }
static void put_u64(uint64_t value) { put(&value, 8); }

static void put_text(const char *text, size_t count) {
  put_u32((uint32_t)count);
  put(text, count);
}

// MARK: What there is

struct walk {
  char path[longest_path];
  size_t length;
  int depth;
  int objects;
  // Bytes that may still be handed out: not more than the file has, however often it mentions them.
  uint64_t left;
};

static void spend(struct walk *walk, uint64_t bytes) {
  if (bytes > walk->left) refuse("\"%s\" has more bytes than the file", walk->path);
  walk->left -= bytes;
}

static herr_t attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
  (void)info;
  struct walk *walk = context;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) refuse("attribute \"%.200s\" of \"%s\" is broken", name, walk->path);
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  if (type < 0 || space < 0) refuse("attribute \"%.200s\" of \"%s\" is broken", name, walk->path);
  // Numbers are attributes that nobody here asks for.
  if (H5Tget_class(type) == H5T_STRING) {
    hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 0 || count > most_texts)
      refuse("attribute \"%.200s\" of \"%s\" has more than %d texts", name, walk->path, (int)most_texts);
    bool varies = H5Tis_variable_str(type) > 0;
    size_t size = H5Tget_size(type);
    if (!varies) spend(walk, (uint64_t)size * (uint64_t)count);
    hid_t wanted = H5Tcopy(H5T_C_S1);
    if (wanted < 0 || H5Tset_size(wanted, varies ? H5T_VARIABLE : size ? size : 1) < 0 ||
        H5Tset_cset(wanted, H5Tget_cset(type)) < 0 || H5Tset_strpad(wanted, H5Tget_strpad(type)) < 0)
      refuse("attribute \"%.200s\" of \"%s\" is broken", name, walk->path);
    size_t each = varies ? sizeof(char *) : size;
    char *texts = calloc(count ? (size_t)count : 1, each ? each : 1);
    if (!texts) refuse("no memory for attribute \"%.200s\" of \"%s\"", name, walk->path);
    if (count && H5Aread(attribute, wanted, texts) < 0)
      refuse("attribute \"%.200s\" of \"%s\" is broken", name, walk->path);
    put("A", 1);
    put_text(walk->path, walk->length);
    put_text(name, strlen(name));
    put_u32((uint32_t)count);
    for (hssize_t i = 0; i < count; i++) {
      const char *text = varies ? ((char **)texts)[i] : texts + (size_t)i * each;
      size_t length = !text ? 0 : varies ? strlen(text) : strnlen(text, each);
      if (varies) spend(walk, length);
      put_text(text, length);
    }
    if (varies && count) H5Dvlen_reclaim(wanted, space, H5P_DEFAULT, texts);
    free(texts);
    H5Tclose(wanted);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

// The kind of a type in the low half, bytes above; 0 of what is no number that is read. `native` becomes the type to
// read it as: the same, with its lowest byte first.
static int number_type(hid_t type, hid_t *native) {
  size_t size = H5Tget_size(type);
  *native = H5I_INVALID_HID;
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      if (size != 2 && size != 4 && size != 8) return 0;
      if (size == 4) *native = H5Tcopy(H5T_IEEE_F32LE);
      if (size == 8) *native = H5Tcopy(H5T_IEEE_F64LE);
      if (size == 2) {
        // float16 as NumPy describes it. Other floats of two bytes are something else.
        size_t sign, exponent_at, exponent, mantissa_at, mantissa;
        if (H5Tget_fields(type, &sign, &exponent_at, &exponent, &mantissa_at, &mantissa) < 0) return 0;
        if (sign != 15 || exponent_at != 10 || exponent != 5 || mantissa_at != 0 || mantissa != 10) return 0;
        *native = H5Tcopy(type);
        if (H5Tset_order(*native, H5T_ORDER_LE) < 0) return 0;
      }
      return 'f' | (int)size << 8;
    case H5T_INTEGER:
      if (size != 1 && size != 2 && size != 4 && size != 8) return 0;
      *native = H5Tcopy(type);
      if (size > 1 && H5Tset_order(*native, H5T_ORDER_LE) < 0) return 0;
      return (H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i') | (int)size << 8;
    default: return 0;
  }
}

static void data_set(hid_t set, struct walk *walk) {
  hid_t type = H5Dget_type(set), space = H5Dget_space(set), properties = H5Dget_create_plist(set), native;
  if (type < 0 || space < 0 || properties < 0) refuse("data set \"%s\" is broken", walk->path);
  int number = number_type(type, &native);
  // Texts, and what else is no number, is not asked for.
  if (number) {
    H5D_layout_t layout = H5Pget_layout(properties);
    if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT && layout != H5D_CHUNKED)
      refuse("data set \"%s\" is made of data sets elsewhere (virtual), which are not read", walk->path);
    if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties) != 0)
      refuse("data set \"%s\" is in another file, which is not read", walk->path);
    if (H5Pget_nfilters(properties) != 0)
      refuse(
          "data set \"%s\" is compressed or filtered, which is not read: h5repack -f NONE writes it plainly",
          walk->path);
    int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > most_axes)
      refuse("data set \"%s\" has %d axes; at most %d are read", walk->path, rank, (int)most_axes);
    hsize_t extents[most_axes] = {0};
    if (rank && H5Sget_simple_extent_dims(space, extents, NULL) < 0) refuse("data set \"%s\" is broken", walk->path);
    uint64_t bytes = (uint64_t)number >> 8;
    if (H5Sget_simple_extent_type(space) == H5S_NULL) bytes = 0;
    for (int i = 0; i < rank; i++)
      if (__builtin_mul_overflow(bytes, (uint64_t)extents[i], &bytes))
        refuse("data set \"%s\" has too many elements", walk->path);
    spend(walk, bytes);
    // What was never written is not in the file, and would be made up.
    if (H5Dget_storage_size(set) < bytes) refuse("data set \"%s\" claims more than its file holds", walk->path);
    char *values = malloc(bytes ? bytes : 1);
    if (!values) refuse("no memory for data set \"%s\"", walk->path);
    if (bytes && H5Dread(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
      refuse("data set \"%s\" cannot be read", walk->path);
    put("D", 1);
    put_text(walk->path, walk->length);
    uint8_t head[3] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)rank};
    put(head, sizeof head);
    for (int i = 0; i < rank; i++) put_u64(extents[i]);
    put_u64(bytes);
    put(values, bytes);
    free(values);
    H5Tclose(native);
  }
  H5Pclose(properties);
  H5Sclose(space);
  H5Tclose(type);
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *context);

static void object(hid_t object, struct walk *walk) {
  if (++walk->objects > most_objects) refuse("has more than %d objects", (int)most_objects);
  hsize_t first = 0;
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &first, attribute, walk) < 0)
    refuse("the attributes of \"%s\" are broken", walk->path);
  H5I_type_t kind = H5Iget_type(object);
  if (kind == H5I_DATASET) data_set(object, walk);
  if (kind != H5I_GROUP) return;
  if (++walk->depth > deepest) refuse("is nested more than %d deep", (int)deepest);
  hsize_t link = 0;
  if (H5Literate(object, H5_INDEX_NAME, H5_ITER_NATIVE, &link, visit, walk) < 0)
    refuse("group \"%s\" is broken", walk->path);
  walk->depth--;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *context) {
  struct walk *walk = context;
  if (info->type != H5L_TYPE_HARD)
    refuse("\"%s/%.200s\" is a link to something elsewhere, which is not followed", walk->path, name);
  size_t length = strlen(name), before = walk->length;
  if (before + 1 + length >= sizeof walk->path) refuse("has paths of more than %d bytes", (int)longest_path);
  walk->path[before] = '/';
  memcpy(walk->path + before + 1, name, length + 1);
  walk->length = before + 1 + length;
  hid_t inner = H5Oopen(group, name, H5P_DEFAULT);
  if (inner < 0) refuse("\"%s\" is broken", walk->path);
  object(inner, walk);
  H5Oclose(inner);
  walk->length = before;
  walk->path[before] = 0;
  return 0;
}

// MARK: The process

// All of standard input.
static char *input(size_t *count) {
  size_t room = (size_t)1 << 20, used = 0;
  char *bytes = malloc(room);
  while (bytes) {
    ssize_t more = read(STDIN_FILENO, bytes + used, room - used);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) refuse("cannot be read: %s", strerror(errno));
    if (more == 0) break;
    used += (size_t)more;
    if (used > largest_file) refuse("has more than %zu bytes", largest_file);
    if (used == room) {
      char *larger = realloc(bytes, room *= 2);
      if (!larger) free(bytes);
      bytes = larger;
    }
  }
  if (!bytes) refuse("no memory for its bytes");
  *count = used;
  return bytes;
}

static void confine(size_t file) {
  // Before the library: it would look for plugins, and say on standard error what went wrong.
  setenv("HDF5_PLUGIN_PRELOAD", "::", 1);
  setenv("HDF5_PLUGIN_PATH", "", 1);
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  struct rlimit time = {seconds, seconds};
  setrlimit(RLIMIT_CPU, &time);
  cconfine_rights rights = {.readable_count = 0, .file_bytes = 1};
  // The bytes, the library's copy of them, one data set that is being read, and what keeps track of it all.
  rights.data_bytes = 3 * (uint64_t)file + spare_memory;
  cconfine_walls walls;
  int error = cconfine(&rights, &walls);
  if (error && error != ENOSYS) refuse("the process that reads it cannot confine itself: %s", strerror(error));
}

int main(void) {
  size_t count;
  put("CHDF5\1", 6);
  char *bytes = input(&count);
  confine(count);
  H5PLset_loading_state(0);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (!count) refuse("is broken, or no HDF5 file");
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0 || H5Pset_fapl_core(access, (size_t)1 << 16, 0) < 0 || H5Pset_file_image(access, bytes, count) < 0)
    refuse("no memory to read it");
  free(bytes);
  hid_t file = H5Fopen("file", H5F_ACC_RDONLY, access);
  if (file < 0) refuse("is broken, or no HDF5 file");
  // The library's own copy is enough from here on.
  H5Pclose(access);
  hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
  if (root < 0) refuse("is broken: it has no root");
  static struct walk walk;
  walk.left = count;
  object(root, &walk);
  put("E", 1);
  // What the library would do at its end is of no use.
  if (fflush(stdout) != 0) _exit(3);
  _exit(0);
}
