// process_b.cpp - open the map "Cat" and print the message that process_a wrote.
#include <mmf/mmf.hpp>

#include <iostream>

int
main()
try {
    auto cat = mmf::map::open_existing("Cat");
    const mmf::const_bytes bytes = cat.read_only_bytes();
    const std::string text(reinterpret_cast<const char *>(bytes.data()), bytes.size());

    std::cout << "Message read from shared memory: " << text.c_str() << '\n';
    return 0;
} catch (const mmf::error &why) {
    std::cerr << "process_b: " << why.what() << '\n';
    return 1;
}
