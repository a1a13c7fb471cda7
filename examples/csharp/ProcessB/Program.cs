// Process B: opens the map "Cat" that process A created, in C# or in C, and prints its message.
using System;
using System.IO.MemoryMappedFiles;
using System.Text;

var message = new byte[10000];

using MemoryMappedFile map = MemoryMappedFile.OpenExisting("Cat");
using MemoryMappedViewAccessor view = map.CreateViewAccessor();
view.ReadArray(0, message, 0, message.Length);
Console.WriteLine("Message read from shared memory: " + Encoding.UTF8.GetString(message).TrimEnd('\0'));
